from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metaopt.cells.graph import OPS, CellGraph
from metaopt.surrogates.ensemble import Fitting, load_ensemble
from metaopt.surrogates.forest import Forest
from metaopt.surrogates.measured import Measured, measured
from metaopt.surrogates.tuning import default_config
from metaopt.surrogates.unlike import judge_unlike, kinds
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table


def wiring(graph: CellGraph) -> str:
    return CellGraph(graph.adjacency, (OPS[0],) * len(graph.ops)).hash


def test_whole_wirings_are_left_out(digits_cells: Measured) -> None:
    rows = kinds(digits_cells, 0)["wirings"]
    assert 0.1 * len(rows) <= rows.sum() < 0.5 * len(rows)
    of = np.array([wiring(graph) for graph in digits_cells.cells.graphs])
    assert not set(of[rows]) & set(of[~rows])
    assert np.array_equal(rows, kinds(digits_cells, 0)["wirings"])


def test_sizes_of_a_handful_of_cells_are_no_kind() -> None:
    whole = measured(find_table(load_card("digits"), 1), 1)
    sizes = np.array([graph.n_vertices for graph in whole.cells.graphs])
    found = {name: rows for name, rows in kinds(whole, 0).items() if name != "wirings"}
    many = [size for size in np.unique(sizes).tolist() if len(sizes) / 20 <= (sizes == size).sum() <= len(sizes) - 30]
    assert list(found) == [f"{size} vertices" for size in many]
    assert len(found) == 2
    assert all(np.array_equal(rows, sizes == int(name[0])) for name, rows in found.items())
    assert not kinds(replace(whole, in_space=np.zeros(len(sizes), dtype=bool)), 0)


def test_cells_of_a_kind_are_predicted_by_models_that_have_not_seen_them(
    digits_cells: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Forest, "epochs", 8)
    judged = judge_unlike(digits_cells, {"forest": default_config("forest")}, Fitting(members=2, seed=0), tmp_path)
    groups = kinds(digits_cells, 0)
    assert [entry["cells"] for entry in judged] == list(groups)
    for entry in judged:
        rows = np.flatnonzero(groups[entry["cells"]])
        assert (entry["training_cells"], entry["judged_cells"]) == (160 - len(rows), len(rows))
        members = load_ensemble(tmp_path / entry["cells"].replace(" ", "-"))
        unseen = digits_cells.data.select(rows)
        mean = np.mean([member.predict(unseen.cells) for member in members], axis=0)
        wrong = np.abs(mean - unseen.errors).mean(axis=0)
        for column, target in enumerate(("valid_error", "test_error")):
            assert entry["metrics"]["forest"][target]["mae"] == pytest.approx(wrong[column], abs=1e-6)
