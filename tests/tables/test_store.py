from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.core.errors import TableError
from metaopt.tables.schema import GROUP_CELLS, UNEVEN, write_table
from metaopt.tables.store import Store

CELLS = 2 * GROUP_CELLS + 5


def rows(cells: int = CELLS) -> pa.Table:
    """Cells with two seeds whose errors tell them apart."""
    hashes = [f"{3 * n:032x}" for n in range(cells) for _ in range(2)]
    errors = np.repeat(np.arange(cells), 2) / cells
    columns = {
        "cell": ["1"] * 2 * cells,
        "cell_hash": hashes,
        "seed": pa.array([0, 1] * cells, pa.int8()),
        "epochs": pa.array([4] * 2 * cells, pa.int16()),
        "valid_error": pa.array(errors, pa.float32()),
        "test_error": pa.array(1 - errors, pa.float32()),
    }
    return pa.table(columns)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "t.parquet"
    write_table(path, rows(), {})
    return path


@pytest.mark.parametrize("number", [0, 1, GROUP_CELLS - 1, GROUP_CELLS, CELLS - 1])
def test_every_cell_is_found_in_its_group(path: Path, number: int) -> None:
    store = Store(path)
    found = store.find(f"{3 * number:032x}")
    assert found is not None
    group, row = found
    assert group.values["valid_error"][row] == pytest.approx(number / CELLS)
    assert len(group.hashes) in (GROUP_CELLS, 5)
    assert group.parameters is None


@pytest.mark.parametrize("cell_hash", ["", f"{1:032x}", f"{3 * GROUP_CELLS - 1:032x}", "f" * 32])
def test_what_is_not_there_is_not_found(path: Path, cell_hash: str) -> None:
    assert Store(path).find(cell_hash) is None


def test_whole_columns_are_those_of_the_groups(path: Path) -> None:
    store = Store(path)
    assert store.hashes.tolist() == [f"{3 * n:032x}".encode() for n in range(CELLS)]
    assert store.measure("test_error").shape == (CELLS, 2, 1)
    assert store.measure("valid_error")[:, 1, 0] == pytest.approx(np.arange(CELLS) / CELLS, abs=1e-6)


def test_one_query_reads_one_group_only(path: Path, tmp_path: Path) -> None:
    data = bytearray(path.read_bytes())
    last = pq.ParquetFile(path).metadata.row_group(2).column(4)
    start = last.data_page_offset
    data[start : start + last.total_compressed_size] = bytes(last.total_compressed_size)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(data)
    store = Store(broken)
    assert store.find(f"{0:032x}") is not None
    with pytest.raises(TableError, match=r"broken.parquet cannot be read, it is damaged"):
        store.find(f"{3 * (CELLS - 1):032x}")
    with pytest.raises(TableError, match="it is damaged"):
        store.measure("valid_error")


def test_a_flipped_bit_is_noticed(path: Path, tmp_path: Path) -> None:
    values = pq.ParquetFile(path).metadata.row_group(0).column(4)
    data = bytearray(path.read_bytes())
    data[values.data_page_offset + values.total_compressed_size - 20] ^= 1
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(data)
    with pytest.raises(TableError, match="it is damaged"):
        Store(broken).find(f"{0:032x}")


@pytest.mark.parametrize("lost", [0, 2 * GROUP_CELLS + 1, 2 * CELLS - 1])
def test_a_lost_row_is_noticed(tmp_path: Path, lost: int) -> None:
    whole = rows()
    write_table(tmp_path / "t.parquet", pa.concat_tables([whole.slice(0, lost), whole.slice(lost + 1)]), {})
    with pytest.raises(TableError, match=r"is incomplete: \d+ rows for \d+ cells x 2 seeds x 1"):
        read_all(tmp_path / "t.parquet")


def uneven(counts: list[int]) -> pa.Table:
    """Cells with as many seeds as ``counts`` says, two numbers of epochs each."""
    cells = [
        {
            "cell": "1",
            "cell_hash": f"{n:032x}",
            "seed": seed,
            "epochs": epochs,
            "valid_error": seed / 8,
            "test_error": 0.5,
        }
        for n, count in enumerate(counts)
        for seed in range(count)
        for epochs in (4, 8)
    ]
    return pa.Table.from_pylist(cells)


@pytest.mark.parametrize("counts", [[1, 3, 1, 2], [3, 1], [1, 1, 1, 4]])
def test_some_cells_may_have_more_seeds_where_the_table_says_so(tmp_path: Path, counts: list[int]) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, uneven(counts), {UNEVEN: []})
    store = Store(path)
    assert store.seeds == list(range(max(counts)))
    errors = store.measure("valid_error")
    assert errors.shape == (len(counts), max(counts), 2)
    for n, count in enumerate(counts):
        expected = [seed / 8 if seed < count else np.nan for seed in range(max(counts))]
        np.testing.assert_array_equal(errors[n], np.transpose([expected, expected]))
        found = store.find(f"{n:032x}")
        assert found is not None
        np.testing.assert_array_equal(found[0].values["valid_error"][found[1]], errors[n])


def test_more_seeds_of_some_cells_are_a_gap_where_the_table_does_not_say_so(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", uneven([3, 1]), {})
    with pytest.raises(TableError, match="is incomplete: 8 rows for 2 cells x 3 seeds x 2"):
        Store(tmp_path / "t.parquet")


@pytest.mark.parametrize("lost", [0, 1, 2, 3, 7])
def test_a_lost_row_of_an_uneven_table_is_noticed(tmp_path: Path, lost: int) -> None:
    rows = uneven([1, 3])
    write_table(tmp_path / "t.parquet", pa.concat_tables([rows.slice(0, lost), rows.slice(lost + 1)]), {UNEVEN: []})
    with pytest.raises(TableError, match="is incomplete"):
        Store(tmp_path / "t.parquet").measure("valid_error")


def read_all(path: Path) -> None:
    store = Store(path)
    for number in range(CELLS):
        store.find(f"{3 * number:032x}")


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    pq.write_table(rows(1).slice(0, 0), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="incomplete: it has no rows"):
        Store(tmp_path / "t.parquet")
