from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.paths import TRAJECTORY
from metaopt.core.trial import Result, Trial
from metaopt.objectives.oneshot import OneShot
from metaopt.objectives.resumable import CHECKPOINT
from metaopt.objectives.scratch import SCRATCH, discard, keep, spent_s
from metaopt.objectives.trajectory import TrajectoryEpoch
from metaopt.oneshot.checkpoint.checkpoint import pack
from metaopt.oneshot.train import Search

TRIAL = Trial(id=4, key=4, config={"drop_path_prob": 0.3}, epochs=4, seed=9)
LONG_CHOICE = replace(TRIAL, config={"selection": "perturbation", "projection_epochs": 1}, epochs=2)


@pytest.fixture(scope="module")
def objective() -> OneShot:
    return OneShot(optimizer="darts", benchmark="digits", cell_space=1, channels=4, cells=3)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every epoch of the schedules that any search trains, from 0."""
    log, train = [], Search._train_epoch

    def logged(self: Search, epoch: int, *arguments: Any) -> Any:
        log.append(epoch)
        return train(self, epoch, *arguments)

    monkeypatch.setattr(Search, "_train_epoch", logged)
    return log


def lost_after(objective: OneShot, folder: Path, epoch: int, trial: Trial = TRIAL) -> None:
    """Begins a search that is gone as soon as an epoch of it is to be seen."""

    def end(row: TrajectoryEpoch) -> None:
        if row.epoch == epoch:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        objective.evaluate(trial, folder, end)


def whole(objective: OneShot, folder: Path, trial: Trial = TRIAL) -> tuple[Result, Any]:
    folder.mkdir(exist_ok=True)
    return objective.evaluate(trial, folder), json.loads((folder / TRAJECTORY).read_text())


def without_time(result: Result) -> Result:
    return replace(result, cost_s=0.0, cpu_s=None)


def test_a_search_goes_on_from_its_last_epoch(objective: OneShot, tmp_path: Path, trained: list[int]) -> None:
    calm, columns = whole(objective, tmp_path / "calm")
    trained.clear()
    folder = tmp_path / "lost"
    folder.mkdir()
    for epoch in (1, 3):
        lost_after(objective, folder, epoch)
    spent = spent_s(folder)
    result, kept = whole(objective, folder)
    assert trained == [0, 1, 2, 3]
    assert kept == columns
    assert without_time(result) == without_time(calm)
    assert result.cost_s > spent > 0
    assert result.cpu_s is not None
    assert calm.cpu_s is not None
    assert result.cpu_s > calm.cpu_s / 2  # which of its epochs ran in another start


def test_a_search_goes_on_from_where_earlier_versions_kept_its_checkpoint(
    objective: OneShot, tmp_path: Path, trained: list[int]
) -> None:
    calm, columns = whole(objective, tmp_path / "calm")
    folder = tmp_path / "lost"
    folder.mkdir()
    lost_after(objective, folder, 2)
    (folder / SCRATCH / CHECKPOINT).rename(folder / CHECKPOINT)
    discard(folder)
    trained.clear()
    result, kept = whole(objective, folder)
    assert trained == [2, 3]
    assert kept == columns
    assert without_time(result) == without_time(calm)
    assert not (folder / CHECKPOINT).exists(), "or nothing would delete it"


def test_what_is_lost_while_the_cell_is_chosen_trains_no_epoch_again(
    objective: OneShot, tmp_path: Path, trained: list[int]
) -> None:
    calm, columns = whole(objective, tmp_path / "calm", LONG_CHOICE)
    trained.clear()
    folder = tmp_path / "lost"
    folder.mkdir()
    lost_after(objective, folder, 4, LONG_CHOICE)
    assert trained == [0, 1, 2, 3], "two of the schedules, and two for the choice"
    result, kept = whole(objective, folder, LONG_CHOICE)
    assert trained[4:] == [2, 3, 4, 5, 6, 7], "the choice begins again"
    assert kept == columns
    assert without_time(result) == without_time(calm)


def flipped(raw: bytes) -> bytes:
    return raw[:-3] + bytes([raw[-3] ^ 8]) + raw[-2:]


@pytest.mark.parametrize(
    ("damage", "note"),
    [
        (lambda raw: raw[: len(raw) // 2], "damaged"),
        (lambda raw: b"", "damaged: no header can be read"),
        (flipped, "damaged: its checksum does not fit"),
        (lambda raw: pack({}, {}, {}), "of another search"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_costs_its_epochs_only(
    objective: OneShot, tmp_path: Path, damage: Callable[[bytes], bytes], note: str, trained: list[int]
) -> None:
    lost_after(objective, tmp_path, 2)
    path = tmp_path / SCRATCH / CHECKPOINT
    path.write_bytes(damage(path.read_bytes()))
    trained.clear()
    result, columns = whole(objective, tmp_path)
    assert trained == [0, 1, 2, 3]
    assert columns["epoch"] == [1, 2, 3, 4]
    (said,) = result.info["notes"]
    assert said.startswith(f"began anew, as the checkpoint of an earlier start is unusable: {note}")


@pytest.mark.parametrize("other", [replace(TRIAL, seed=10), replace(TRIAL, epochs=5), replace(TRIAL, config={})])
def test_the_checkpoint_of_another_search_is_not_used(
    objective: OneShot, tmp_path: Path, other: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    lost_after(objective, tmp_path, 2, other)
    result, columns = whole(objective, tmp_path)
    assert columns["epoch"] == [1, 2, 3, 4]
    (note,) = result.info["notes"]
    assert "unusable: of another search: its " in note
    assert note in capsys.readouterr().err
    calm, _ = whole(objective, tmp_path / "calm")
    assert result.info | {"notes": 0} == calm.info | {"notes": 0}


def test_a_whole_checkpoint_that_does_not_fit_the_model_costs_its_epochs_only(
    objective: OneShot, tmp_path: Path
) -> None:
    """As of a version whose supernet has other weights: loading it ends half way."""
    calm, _ = whole(objective, tmp_path / "calm")
    search = objective.search(TRIAL)
    state = search.begin(TRIAL.epochs)
    next(search.training(state))
    snapshot = state.save()
    snapshot["model"]["weight_optim"] = {"state": {}, "param_groups": []}
    identity = {**search.identity(TRIAL.epochs), "benchmark": "digits", "table": objective.answers.describe()}
    figures = {"columns": {}, "cost_s": 1, "cpu_s": 1, "notes": []}
    keep(tmp_path, CHECKPOINT, pack(identity, figures, snapshot), 1.0)
    result, _ = whole(objective, tmp_path)
    assert "unusable: ValueError: " in result.info["notes"][0]
    assert result.info | {"notes": 0} == calm.info | {"notes": 0}


def test_a_note_outlives_another_loss(objective: OneShot, tmp_path: Path) -> None:
    keep(tmp_path, CHECKPOINT, b"none", 1.0)
    lost_after(objective, tmp_path, 1)
    result, _ = whole(objective, tmp_path)
    assert len(result.info["notes"]) == 1
