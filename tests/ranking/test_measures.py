from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from metaopt.ranking.measures import _ceiling, record
from metaopt.ranking.scores import Scores, parts, write_scores
from metaopt.ranking.study import RankingStudy
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.table import Table

MakeStudy = Callable[..., RankingStudy]


def truth(study: RankingStudy) -> np.ndarray:
    table = Table(find_table(load_card("digits"), 1))
    return np.array([table.query(graph).valid_error for graph in study.graphs])


def write_all(study: RankingStudy, folder: Path) -> None:
    """Scores that are right where there is no defect, and reversed in their loss; elsewhere noise."""
    right = truth(study)
    rng = np.random.default_rng(0)
    for part in parts(study, folder):
        values = rng.random((len(study.at), len(study.defects), len(right), 2)).astype(np.float32)
        values[:, 0, :, 0], values[:, 0, :, 1] = right, 1 - right
        write_scores(Scores(part, values, ("a",) * len(study.at), 2.0))


def test_a_record(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study(sample=200, epochs=4, at=(2, 4), seeds=2)
    write_all(study, tmp_path)
    found = record(study, tmp_path, {"command": "metaopt correlate"})
    assert found["command"] == "metaopt correlate"
    assert found["study"] == study.to_json()
    assert found["same_weights"]
    assert found["cpu_s"] == 20.0
    assert len(found["measures"]) == 2 * 5 * 2 * 4 * 2 * 2  # seeds, statistics, epochs, defects, sets, scores
    assert [cell["cell"] for cell in found["cells"]] == [graph.key for graph in study.graphs]
    assert [cell["valid_error"] for cell in found["cells"]] == pytest.approx(truth(study), abs=1e-6)
    assert found["first_supernet"]["batch"] == pytest.approx(truth(study), abs=1e-4)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_measures_are_of_the_right_scores(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study(sample=200)
    write_all(study, tmp_path)
    measures = record(study, tmp_path, {})["measures"]
    right = [entry for entry in measures if not entry["lost_edge"] and not entry["soft_ops"]]
    assert all(entry["spearman"] > 0.999 for entry in right if entry["score"] == "error")
    assert all(entry["spearman"] < -0.999 for entry in right if entry["score"] == "loss")
    assert all(abs(entry["spearman"]) < 0.4 for entry in measures if entry["lost_edge"] or entry["soft_ops"])
    cells = {entry["among"]: entry["cells"] for entry in measures}
    assert cells["all"] == 200
    assert 130 < cells["enumerated"] < 180


def test_the_ceiling_is_how_well_the_table_ranks_its_own(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study(sample=400)
    write_all(study, tmp_path)
    ceiling = record(study, tmp_path, {})["ceiling"]
    assert 0.7 < ceiling["all"] < 0.95
    assert set(ceiling) == {"all", "enumerated"}


def test_a_single_repeat_has_no_ceiling() -> None:
    assert _ceiling(np.array([[0.1], [0.2], [0.3]])) is None
    assert _ceiling(np.array([[0.1, 0.2], [0.2, 0.3], [0.3, 0.4]])) == pytest.approx(1.0)


def test_weights_that_differ_are_said(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study()
    write_all(study, tmp_path)
    part = parts(study, tmp_path)[0]
    write_scores(Scores(part, np.zeros((1, 4, 12, 2), np.float32), ("b",), 2.0))
    assert not record(study, tmp_path, {})["same_weights"]


def test_scores_without_a_measure(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study()
    write_all(study, tmp_path)
    values = np.ones((1, 4, 12, 2), np.float32)
    values[..., 1] = np.inf
    write_scores(Scores(parts(study, tmp_path)[0], values, ("a",), 2.0))
    found = record(study, tmp_path, {})
    error, loss = found["measures"][:2]
    assert (error["mean_score"], error["spearman"], error["kendall_a"]) == (1.0, None, 0.0)
    assert (loss["mean_score"], loss["spearman"], loss["kendall_a"]) == (None, None, 0.0)
    json.dumps(found, allow_nan=False)
