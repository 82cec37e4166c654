from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metaopt.cells.space import CELL_SPACES, memberships
from metaopt.tables.importers.evaluations import Evaluations, spaces_of
from metaopt.tables.schema import write_groups
from metaopt.tables.table import Table

K, SEEDS, EPOCHS = 7, (0, 2), (4, 12, 36)


@pytest.fixture
def evaluations() -> Evaluations:
    graphs = dict(sorted(list(CELL_SPACES[1].distinct_graphs().items())[: 20 * K : 20]))
    errors = np.arange(K * len(SEEDS) * len(EPOCHS), dtype=np.float32).reshape(K, len(SEEDS), len(EPOCHS)) / 64
    return Evaluations(
        np.array(list(graphs), dtype="S32"),
        [graph.key for graph in graphs.values()],
        np.array([1, 2, 3, 4, 5, 6, 7], dtype=np.uint8),
        SEEDS,
        EPOCHS,
        {"valid_error": errors, "test_error": errors[::-1], "cost_s": errors * 100},
        np.arange(K, dtype=np.int32),
    )


def test_groups_make_a_table(tmp_path: Path, evaluations: Evaluations) -> None:
    groups = list(evaluations.groups(cells=3))
    assert [len(group) for group in groups] == [18, 18, 6]
    write_groups(tmp_path / "t.parquet", groups, {"a": 1})
    table = Table(tmp_path / "t.parquet")
    assert (table.seeds, table.epochs, table.provenance) == ([0, 2], [4, 12, 36], {"a": 1})
    assert table.keys == evaluations.keys
    assert np.array_equal(table.hashes, evaluations.hashes)
    assert np.array_equal(table.valid_error, evaluations.measures["valid_error"])
    assert np.array_equal(table.test_error, evaluations.measures["test_error"])
    assert len(Table(tmp_path / "t.parquet", 3)) == 4 == evaluations.of_space(3)


def test_parameters_may_be_unknown(evaluations: Evaluations) -> None:
    without = Evaluations(**{**vars(evaluations), "parameters": None})
    assert "parameters" not in next(without.groups()).column_names
    assert next(evaluations.groups())["parameters"].to_pylist()[:7] == [0] * 6 + [1]


@pytest.mark.slow
def test_few_cells_are_in_the_spaces_that_all_are_in() -> None:
    graphs = {h: g for space in CELL_SPACES.values() for h, g in list(space.distinct_graphs().items())[::600]}
    hashes = np.array(list(graphs), dtype="S32")
    few = spaces_of(hashes, [graph.key for graph in graphs.values()])
    assert np.array_equal(few, memberships(hashes))
    assert {1, 2, 4} <= set(few.tolist())
