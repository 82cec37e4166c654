from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaopt.cells.space import CELL_SPACES
from metaopt.core.paths import TRAJECTORY
from metaopt.objectives.trajectory import Trajectory
from metaopt.oneshot.train import SearchDivergedError, SearchEpoch
from metaopt.tables.answers import Answers
from metaopt.tables.card import load_card


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers(load_card("digits"), 1)


def epoch(number: int, **values: Any) -> SearchEpoch:
    cell = CELL_SPACES[1].sample(np.random.default_rng(number))
    whole: dict[str, Any] = {"train_loss": 1 / 3, "one_shot_error": 2 / 3, "cell": cell, "arch": {}, **values}
    return SearchEpoch(epoch=number, **whole)


def test_the_file_has_every_epoch_at_once(answers: Answers, tmp_path: Path) -> None:
    trajectory = Trajectory(answers, tmp_path)
    for number in (1, 2):
        seen = epoch(number)
        row = trajectory.add(seen)
        trajectory.write()
        kept = json.loads((tmp_path / TRAJECTORY).read_text())
        assert {len(values) for values in kept.values()} == {number}
        assert seen.cell is not None
        entry = answers.query(seen.cell.graph)
        assert (row.valid_error, row.test_error) == pytest.approx((entry.valid_error, entry.test_error), abs=1e-6)
        assert {name: values[-1] for name, values in kept.items()} == {
            "epoch": number,
            "train_loss": 0.333333,
            "one_shot_error": 0.666667,
            "valid_error": row.valid_error,
            "test_error": row.test_error,
            "cell": seen.cell.graph.key,
            "arch": {},
        }
    assert [path.name for path in tmp_path.iterdir()] == [TRAJECTORY]


def test_an_epoch_without_a_cell_has_no_errors(answers: Answers, tmp_path: Path) -> None:
    trajectory = Trajectory(answers, tmp_path)
    trajectory.add(epoch(1, cell=None))
    trajectory.add(epoch(2))
    assert trajectory.columns["cell"][0] is trajectory.columns["valid_error"][0] is None
    assert trajectory.columns["test_error"][1] > 0


def test_an_epoch_whose_cell_nobody_knows_is_a_gap(tmp_path: Path) -> None:
    partial = Answers(load_card("digits"), 3, "refuse")
    cells = [CELL_SPACES[3].sample(np.random.default_rng(seed)) for seed in range(40)]
    known = [cell.graph in partial.table for cell in cells]
    assert 0 < sum(known) < len(known)
    trajectory = Trajectory(partial, tmp_path)
    for number, cell in enumerate(cells, start=1):
        trajectory.add(epoch(number, cell=cell))
    columns = trajectory.columns
    assert [value is not None for value in columns["valid_error"]] == known
    assert [value is not None for value in columns["test_error"]] == known
    assert columns["cell"] == [cell.graph.key for cell in cells]


def test_the_eigenvalue_is_there_where_it_is_measured(answers: Answers, tmp_path: Path) -> None:
    trajectory = Trajectory(answers, tmp_path)
    trajectory.add(epoch(1))
    assert "eigenvalue" not in trajectory.columns
    trajectory.add(epoch(2, eigenvalue=1.23456789e-5))
    assert trajectory.columns["eigenvalue"] == [None, 1.23457e-5]
    trajectory.write()
    assert json.loads((tmp_path / TRAJECTORY).read_text()) == trajectory.columns


def test_what_happened_in_an_epoch_is_kept(answers: Answers, tmp_path: Path) -> None:
    trajectory = Trajectory(answers, tmp_path)
    trajectory.add(epoch(1))
    row = trajectory.add(epoch(2, note="went back to epoch 1", validation_passes=3))
    assert (row.note, row.validation_passes) == ("went back to epoch 1", 3)
    trajectory.write()
    kept = json.loads((tmp_path / TRAJECTORY).read_text())
    assert (kept["note"], kept["sweeps"]) == (["", "went back to epoch 1"], [0, 3])


@pytest.mark.parametrize(
    ("name", "value"), [("arch", {"ops": [[math.nan, 1.0]]}), ("one_shot_error", math.nan), ("train_loss", math.inf)]
)
def test_what_is_no_number_is_not_kept(name: str, value: Any, answers: Answers, tmp_path: Path) -> None:
    trajectory = Trajectory(answers, tmp_path)
    trajectory.add(epoch(1))
    before = json.dumps(trajectory.columns)
    with pytest.raises(SearchDivergedError, match=f"{name} is not finite in epoch 2"):
        trajectory.add(epoch(2, **{name: value}))
    assert json.dumps(trajectory.columns) == before


def test_what_an_earlier_search_left_is_not_taken_for_this_one_s(answers: Answers, tmp_path: Path) -> None:
    Trajectory(answers, tmp_path).add(epoch(1))
    Trajectory(answers, tmp_path).write()
    assert json.loads((tmp_path / TRAJECTORY).read_text()) == {}


def test_it_goes_on_after_earlier_epochs(answers: Answers, tmp_path: Path) -> None:
    whole, first, second = (Trajectory(answers, tmp_path) for _ in range(3))
    seen = [epoch(1), epoch(2, note="a note"), epoch(3, eigenvalue=0.5)]
    for one in seen:
        whole.add(one)
    for one in seen[:2]:
        first.add(one)
    second.restore(json.loads(json.dumps(first.all_columns)))
    second.add(seen[2])
    assert second.columns == whole.columns
    assert len(first.columns["epoch"]) == 2
