from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from metaopt.core.errors import TableError
from metaopt.tables.importers.evaluations import Evaluations
from metaopt.tables.importers.tabular_rows import Rows
from tfrecords import CHAIN, FORK

TWIN = "110" + "01" + "1:maxpool3x3:conv1x1"  # isomorphic to FORK
GRID = [(graph.key, e, s) for graph in (FORK, CHAIN) for e in (4, 12) for s in (0, 1)]


def columns(grid: list[tuple[str, int, int]] = GRID, **others: list[Any]) -> dict[str, list[Any]]:
    cell, epochs, seed = (list(column) for column in zip(*grid, strict=True))
    errors = [n / 64 for n in range(len(grid))]
    return {"cell": cell, "epochs": epochs, "seed": seed, "valid_error": errors, "test_error": errors, **others}


def read(content: dict[str, list[Any]]) -> Evaluations:
    return Rows(Path("f"), pa.table(content), lambda row: f"row {row}", lambda *of: None).evaluations()


def test_rows_in_any_order_are_put_in_their_places() -> None:
    shuffled = np.random.default_rng(0).permutation(len(GRID))
    found = read(columns([GRID[n] for n in shuffled], valid_error=[n / 64 for n in shuffled]))
    for place, (key, epochs, seed) in enumerate(GRID):
        at = found.keys.index(key), seed, found.epochs.index(epochs)
        assert found.measures["valid_error"][at] == place / 64
    assert set(found.measures) == {"valid_error", "test_error"}
    assert found.parameters is None
    assert found.cell_spaces[found.keys.index(FORK.key)] == 4


def test_isomorphic_cells_are_one() -> None:
    found = read(columns([(FORK.key, 4, 0), (TWIN, 4, 1)]))
    assert (found.keys, found.seeds) == ([FORK.key], (0, 1))
    with pytest.raises(TableError, match=f"^f, row 1, is of the same training as row 0: {FORK.key}, seed 0, 4 epochs"):
        read(columns([(FORK.key, 4, 0), (TWIN, 4, 0)]))


def test_dead_vertices_are_pruned() -> None:
    assert read(columns([("010" + "01" + "1:maxpool3x3:conv1x1", 4, 0)])).keys == ["101:conv1x1"]


@pytest.mark.parametrize("lost", range(len(GRID)))
def test_an_incomplete_grid_is_refused(lost: int) -> None:
    key, epochs, seed = GRID[lost]
    text = f"incomplete: 1 of 8 evaluations are missing, such as {key}, seed {seed}, {epochs} epochs"
    with pytest.raises(TableError, match=text):
        read(columns(GRID[:lost] + GRID[lost + 1 :]))


def test_optional_columns() -> None:
    found = read(columns(cost_s=[2.5] * 8, train_error=[0.125] * 8, parameters=[7] * 4 + [9] * 4))
    assert set(found.measures) == {"train_error", "valid_error", "test_error", "cost_s"}
    assert found.parameters is not None
    assert found.parameters[found.keys.index(CHAIN.key)] == 9


@pytest.mark.parametrize(
    ("others", "text"),
    [
        ({"train_error": [1.5] * 8}, "column train_error is 1.5"),
        ({"cost_s": [float("inf")] * 8}, "column cost_s is inf; allowed: above 0"),
        ({"cost_s": [1.5] * 7 + [0.0]}, r"column cost_s is 0; allowed: above 0\n  leave the column out"),
        ({"parameters": [-1] * 8}, "column parameters is -1"),
        ({"parameters": [1, 2] * 4}, "^f, row 1, column parameters is 2; row 0, of the same cell, has 1"),
        ({"accuracy": [1] * 8}, "has the columns .*accuracy; needed: .*\n  remove accuracy"),
        ({"adjacency": ["01"] * 8}, "remove adjacency"),
    ],
)
def test_mistakes(others: dict[str, list[Any]], text: str) -> None:
    with pytest.raises(TableError, match=text):
        read(columns(**others))


def test_hashes_that_are_given_are_compared() -> None:
    hashes = [graph.hash for graph in (FORK, CHAIN) for _ in range(4)]
    assert read(columns(cell_hash=hashes)).hashes.tolist() == sorted({text.encode() for text in hashes})
    with pytest.raises(TableError, match=f"^f, row 4, has the cell {CHAIN.key} with the hash {FORK.hash}; NAS-B"):
        read(columns(cell_hash=[FORK.hash] * 8))


def test_needed_columns() -> None:
    for name in columns():
        with pytest.raises(TableError, match=f"lacks the columns {name}; needed: cell, or adjacency and operations"):
            read({key: values for key, values in columns().items() if key != name})
    with pytest.raises(TableError, match="lacks the columns operations"):
        read({"adjacency": ["01"] * 8, **{key: values for key, values in columns().items() if key != "cell"}})
