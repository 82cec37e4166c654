from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from metaopt.cells.graph import CellGraph
from metaopt.core.errors import TableError
from metaopt.surrogates.measured import measured, measured_after_each, split
from metaopt.tables.schema import write_table

FORK = CellGraph.from_key("110" + "01" + "1:conv1x1:conv3x3")
CHAIN = CellGraph.from_key("111:conv3x3")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [
        {
            "cell": graph.key,
            "cell_hash": graph.hash,
            "cell_spaces": spaces,
            "seed": seed,
            "epochs": epochs,
            "valid_error": base + seed / 4 + epochs / 8,
            "test_error": base / 2,
        }
        for graph, spaces, base in ((FORK, 0b01, 0.125), (CHAIN, 0b11, 0.25))
        for seed in (0, 1)
        for epochs in (1, 2)
    ]
    write_table(tmp_path / "t.parquet", pa.Table.from_pylist(rows), {})
    return tmp_path / "t.parquet"


def test_the_last_epochs_count_and_seeds_are_averaged(table: Path) -> None:
    found = measured(table, 1)
    row = [graph.hash for graph in found.cells.graphs].index(FORK.hash)
    assert found.valid_error[row].tolist() == [0.375, 0.625]
    assert found.data.errors[row].tolist() == [0.5, 0.0625]


def test_every_number_of_epochs_has_the_same_cells(table: Path) -> None:
    each = measured_after_each(table, 1)
    assert list(each) == [1, 2]
    assert each[1].cells is each[2].cells
    row = [graph.hash for graph in each[1].cells.graphs].index(FORK.hash)
    assert each[1].valid_error[row].tolist() == [0.25, 0.5]


def test_what_is_no_cell_is_refused_with_its_table(tmp_path: Path) -> None:
    key = "1" * 36 + ":conv3x3" * 7
    row = {"cell": key, "cell_hash": "0" * 32, "seed": 0, "epochs": 1, "valid_error": 0.5, "test_error": 0.5}
    write_table(tmp_path / "t.parquet", pa.Table.from_pylist([row]), {})
    with pytest.raises(TableError, match=r"t\.parquet has what is no cell: the cell has 9 vertices"):
        measured(tmp_path / "t.parquet", 1)


def test_cells_of_other_spaces_are_told_apart(table: Path) -> None:
    assert measured(table, 1).in_space.all()
    found = measured(table, 2)
    assert [graph.key for graph, inside in zip(found.cells.graphs, found.in_space, strict=True) if inside] == [
        CHAIN.key
    ]
    assert found.select(np.flatnonzero(found.in_space)).cells.graphs == [CHAIN]


def test_a_split_is_fixed_and_leaves_nothing_out() -> None:
    training, held_out = split(105, 0)
    assert sorted([*training, *held_out]) == list(range(105))
    assert len(held_out) == 10
    assert np.array_equal(held_out, split(105, 0)[1])
    assert not np.array_equal(held_out, split(105, 1)[1])
