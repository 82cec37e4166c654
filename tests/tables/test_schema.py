from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.core.errors import TableError
from metaopt.tables.schema import GROUP_CELLS, REQUIRED, SCHEMA, damaged, open_table, write_groups, write_table
from small_disks import fill, small_disk

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


def write(path: Path) -> None:
    write_table(path, pa.Table.from_pylist([ROW]), {})


def test_rows_and_provenance_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "digits-1.parquet"
    write_table(path, pa.Table.from_pylist([ROW]), {"commit": "abc"})
    file, provenance = open_table(path)
    assert file.read().to_pylist() == [ROW]
    assert file.schema_arrow.names == [name for name in SCHEMA.names if name in ROW]
    assert provenance == {"commit": "abc"}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_rows_are_ordered_and_cut_into_groups_of_whole_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = [{**ROW, "cell_hash": f"{n:032x}", "seed": seed} for seed in (1, 0) for n in range(GROUP_CELLS, -1, -1)]
    write_table(path, pa.Table.from_pylist(rows), {})
    file, _ = open_table(path)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [2 * GROUP_CELLS, 2]
    order = [(row["cell_hash"], row["seed"]) for row in file.read(["cell_hash", "seed"]).to_pylist()]
    assert order == sorted(order)


def test_groups_hold_whole_cells_also_where_some_have_more_seeds(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = [{**ROW, "cell_hash": f"{n:032x}", "seed": s} for n in range(GROUP_CELLS + 2) for s in range(1 + n % 3)]
    write_table(path, pa.Table.from_pylist(rows), {})
    file, _ = open_table(path)
    groups = [file.read_row_group(n, ["cell_hash"])["cell_hash"].to_pylist() for n in range(file.num_row_groups)]
    assert [len(set(hashes)) for hashes in groups] == [GROUP_CELLS, 2]
    assert not set(groups[0]) & set(groups[1])


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write(path)
    before = path.read_bytes()

    def groups():  # type: ignore[no-untyped-def]
        yield pa.Table.from_pylist([ROW])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_groups(path, groups(), {})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(ValueError, match="at least one row"):
        write_groups(path, [], {})


def test_a_missing_table_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="metaopt benchmark build digits"):
        open_table(tmp_path / "digits-1.parquet")


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_damaged_table_is_named(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "digits-1.parquet"
    write(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(TableError, match=r"digits-1.parquet cannot be read, it is damaged"):
        open_table(path)


@pytest.mark.parametrize(
    "columns",
    [
        {"a": [1]},
        {name: [1] for name in REQUIRED},
        {name: pa.array([None], SCHEMA.field(name).type) for name in REQUIRED if name != "seed"},
    ],
)
def test_other_columns_are_refused(tmp_path: Path, columns: dict[str, list[int]]) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(TableError, match=f"has the columns {', '.join(columns)}; needed: cell, cell_hash"):
        open_table(path)


def test_no_room_for_a_table(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        fill(disk)
        with pytest.raises(TableError, match=r"cannot write a table to .*: No space left on device"):
            write(disk / "digits-1.parquet")


def test_of_two_that_write_a_new_table_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "digits-1.parquet"

    def groups() -> Iterator[pa.Table]:
        yield pa.Table.from_pylist([ROW])
        write(path)  # as another process does meanwhile

    with pytest.raises(TableError, match="File exists"):
        write_groups(path, groups(), {}, new=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_the_system_will_not_read_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "digits-1.parquet"
    error = damaged(path, OSError(5, "Input/output error"))
    assert error.message == f"cannot read the table {path}: Input/output error"
    assert "install" not in error.hint
