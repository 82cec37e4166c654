from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.errors import TableError
from metaopt.tables.schema import SCHEMA, read_table, write_table

ROW = {
    "cell": "111:conv3x3",
    "cell_hash": "ab",
    "seed": 0,
    "epochs": 8,
    "train_error": 0.25,
    "valid_error": 0.5,
    "test_error": 0.75,
    "cost_s": 1.5,
    "parameters": 1234,
}


def test_rows_and_provenance_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "digits-1.parquet"
    write_table(path, pa.Table.from_pylist([ROW], schema=SCHEMA), {"commit": "abc"})
    rows, provenance = read_table(path)
    assert rows.to_pylist() == [ROW]
    assert provenance == {"commit": "abc"}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_missing_table_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="metaopt benchmark build digits"):
        read_table(tmp_path / "digits-1.parquet")


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_damaged_table_is_named(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "digits-1.parquet"
    write_table(path, pa.Table.from_pylist([ROW], schema=SCHEMA), {})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(TableError, match=r"digits-1.parquet cannot be read, it is damaged"):
        read_table(path)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(TableError, match="has the columns a; needed: cell, cell_hash"):
        read_table(path)
