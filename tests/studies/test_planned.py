from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import ConfigError
from metaopt.runs.plan import PlannedRun, plan
from metaopt.settings.run import BaselineSettings, RunSettings, TuneSettings
from metaopt.studies import planned as planned_run
from metaopt.studies.planned import Planner


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[RunSettings]:
    """The settings that were checked, each as they were given."""
    asked: list[RunSettings] = []

    def spy(settings: RunSettings) -> PlannedRun:
        asked.append(settings)
        return plan(settings)

    monkeypatch.setattr(planned_run, "plan", spy)
    return asked


def planned(planner: Planner, seed: int, **given: Any) -> PlannedRun:
    return planner.plan(BaselineSettings, f"s{seed}", {"budget": 5, "seed": seed, **given})


def test_runs_that_differ_in_their_seed_are_checked_once(asked: list[RunSettings], tmp_path: Path) -> None:
    planner = Planner(tmp_path, {})
    runs = [planned(planner, seed, tuner=tuner) for tuner in ("re", "hyperband") for seed in (3, 4, 5)]
    assert len(asked) == 2
    assert [(run.name, run.settings.seed) for run in runs] == [(f"s{seed}", seed) for seed in (3, 4, 5)] * 2
    for run in runs:
        alone = Planner(tmp_path, {}).plan(BaselineSettings, run.name, run.settings.to_json())
        assert run == alone, "as if it had been checked by itself"


@pytest.mark.parametrize(
    "value", [date(2020, 1, 1), b"x", {"a"}, {1: "a", "b": "c"}], ids=["date", "bytes", "set", "map"]
)
def test_an_option_that_is_no_json_is_a_mistake_like_any_other(tmp_path: Path, value: object) -> None:
    with pytest.raises(ConfigError, match="option 'eta' must be a whole number, got"):
        planned(Planner(tmp_path, {}), 0, tuner="hyperband", tuner_options={"eta": value})


def test_a_seed_is_checked_of_every_run(tmp_path: Path) -> None:
    planner = Planner(tmp_path, {})
    planned(planner, 0)
    with pytest.raises(ConfigError, match=r"seed must be .*, got -1"):
        planned(planner, -1)


def test_a_space_file_stands_as_it_is_written_and_is_found_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("extends: darts\n")
    given = {"optimizer": "darts", "budget": 1, "space": "own.yaml"}
    run = Planner(tmp_path, {"workers": 3}).plan(TuneSettings, "darts-s0", given)
    assert isinstance(run.settings, TuneSettings)
    assert (run.settings.space, run.settings.workers) == ("own.yaml", 3)
    assert run.space["hyperparameters"]
    with pytest.raises(ConfigError, match=r"space is own\.yaml, and there is no such file in"):
        Planner(tmp_path / "elsewhere", {}).plan(TuneSettings, "darts-s0", given)
