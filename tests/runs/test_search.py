from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import ConfigError, MetaoptError, RunError
from metaopt.core.interrupt import Interrupt
from metaopt.objectives.trajectory import TrajectoryEpoch
from metaopt.runs import search as search_run
from metaopt.runs.search import RECORD, SearchPlan, make_folder, prepare, run, trajectory


def plan(**changes: Any) -> SearchPlan:
    settings: dict[str, Any] = {
        "optimizer": "darts",
        "benchmark": "digits",
        "cell_space": 1,
        "space": "darts",
        "config": {},
        "epochs": 2,
        "seed": 0,
        "channels": 4,
        "cells": 3,
        "batch_norm": "recalibrated",
        "device": "cpu",
        **changes,
    }
    return SearchPlan(**settings)


def searched(folder: Path, watch: Any = lambda epoch: None, **changes: Any) -> dict[str, Any]:
    make_folder(folder)
    with Interrupt() as interrupted:
        return run(prepare(plan(**changes)), folder, ["metaopt", "search"], watch, interrupted)


def test_the_record_of_a_search(tmp_path: Path) -> None:
    seen: list[TrajectoryEpoch] = []
    record = searched(tmp_path / "mine", seen.append)
    assert json.loads((tmp_path / "mine" / RECORD).read_text()) == record
    assert record["result"]["status"] == "ok"
    assert 1 <= record["rank"] <= 2685
    assert record["run"]["epochs"] == 2
    assert record["command"] == ["metaopt", "search"]
    assert "trajectory" not in record["result"]["info"]
    columns = trajectory(tmp_path / "mine")
    assert columns["epoch"] == [epoch.epoch for epoch in seen] == [1, 2]
    assert columns["valid_error"][-1] == pytest.approx(record["result"]["valid_error"], abs=1e-6)


def test_a_search_is_its_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        searched(tmp_path / name, seed=seed)
    a, b, c = (trajectory(tmp_path / name) for name in "abc")
    assert a == b != c


def test_a_signal_ends_it_on_the_spot(tmp_path: Path) -> None:
    record = searched(tmp_path / "mine", lambda epoch: signal.raise_signal(signal.SIGTERM))
    result = record["result"]
    assert (result["status"], result["reason"], result["epochs"], record["rank"]) == ("stopped", "interrupted", 1, None)
    assert trajectory(tmp_path / "mine")["epoch"] == [1]


def test_a_swallowed_signal_is_noticed_after_the_epoch(tmp_path: Path) -> None:
    def swallow(epoch: TrajectoryEpoch) -> None:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert searched(tmp_path / "mine", swallow)["result"]["epochs"] == 1


def test_a_diverged_search(tmp_path: Path) -> None:
    record = searched(tmp_path / "mine", config={"learning_rate": 1e30})
    assert record["result"]["status"] == "crashed"
    assert record["result"]["reason"] == "the training loss is nan in epoch 1 of 2"
    assert json.loads((tmp_path / "mine" / RECORD).read_text()) == record
    assert trajectory(tmp_path / "mine") == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        (
            {"seed": -1, "channels": 0},
            "2 settings .*:\n- channels must be .*, got 0\n.*\n- seed must be .*, got -1",
        ),
        ({"benchmark": "digit"}, "unknown benchmark 'digit'; did you mean 'digits'"),
        ({"config": {"batch_size": 400}}, "batch_size 400 does not fit: a half of the training images has 350"),
        ({"optimizer": "pcdarts", "config": {"partial_channels": 3}}, "3 does not divide the supernet's 4 channels"),
    ],
)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        prepare(plan(**changes))


def test_only_the_configuration_must_fit_and_not_the_space_s_default() -> None:
    changes = {"optimizer": "pcdarts", "space": "pcdarts", "channels": 6}
    prepared = prepare(plan(**changes, config={"partial_channels": 3}))
    assert prepared.trial.config == {"partial_channels": 3}
    with pytest.raises(ConfigError, match="4 does not divide the supernet's 6 channels"):
        prepare(plan(**changes, config={"partial_channels": 4}))


def test_epochs_are_the_benchmark_s_largest() -> None:
    prepared = prepare(plan(epochs=None))
    assert prepared.trial.epochs == prepared.objective.epochs[1]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, message in ((tmp_path, "is not empty: it holds file"), (tmp_path / "file" / "x", "cannot make the")):
        with pytest.raises(RunError, match=message) as error:
            make_folder(folder)
        assert isinstance(error.value, MetaoptError)
        assert "--out" in error.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_of_two_searches_in_one_new_folder_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, write = tmp_path / "search", search_run.write_atomically

    def after_another(path: Path, content: str, *, new: bool) -> None:
        write(path, "another's", new=new)
        write(path, content, new=new)

    monkeypatch.setattr(search_run, "write_atomically", after_another)
    with pytest.raises(RunError, match=r"is not empty: it holds trajectory\.json"):
        search_run.make_folder(folder)
    assert [path.read_text() for path in folder.iterdir()] == ["another's"]
