from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from metaopt.core.errors import ConfigError
from metaopt.objectives import OBJECTIVES
from metaopt.runs.config import load_config
from metaopt.runs.plan import plan
from metaopt.settings.run import BaselineSettings, TuneSettings


@pytest.fixture(autouse=True)
def _objective(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")


def config(**flags: str) -> TuneSettings:
    return load_config(
        TuneSettings, {"optimizer": "darts", "budget": "6", "executor": "serial", "tuner": "random", **flags}, {}
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"min_epochs": "9", "max_epochs": "3"}, "min_epochs is 9 and max_epochs 3; the first must not be larger"),
        ({"min_epochs": "28"}, r"min_epochs is 28 and max_epochs 27 \(the benchmark's\); the first"),
        ({"budget_epochs": "2"}, r"budget_epochs is 2, but the shortest evaluation takes 3 \(the benchmark's\)"),
        ({"budget_epochs": "26"}, "budget_epochs is 26, but the tuner's shortest evaluation takes 27 epochs\n"),
        ({"budget_epochs": "2", "min_epochs": "3"}, "budget_epochs is 2, but the shortest evaluation takes 3\n"),
    ],
)
def test_budgets_of_evaluations_at_odds(flags: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        plan(config(**flags))
    assert error.value.hint


def test_a_longest_evaluation_below_the_usual_shortest_takes_that_along() -> None:
    run = plan(config(max_epochs="2", tuner="hyperband"))
    assert run.epochs == {"min_epochs": 2, "max_epochs": 2}
    assert (run.settings.min_epochs, run.settings.max_epochs) == (2, 2)
    assert plan(config(max_epochs="9")).epochs == {"min_epochs": 3, "max_epochs": 9}


def test_everything_that_does_not_fit_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "metaopt.objectives.oneshot:OneShot")
    wrong = replace(config(), tuner_options={"eat": 3}, benchmark="digit")
    with pytest.raises(ConfigError) as error:
        plan(wrong)
    assert "unknown option 'eat'" in str(error.value)
    assert "unknown benchmark 'digit'; did you mean 'digits'?" in str(error.value)


def test_the_recipe_holds_the_space_itself() -> None:
    run = plan(config(time_limit_s="9"))
    assert run.recipe.time_limit_s == 9.0
    assert run.recipe.settings["space"]["hyperparameters"]
    assert not run.recipe.needs_process


def test_a_copy_for_another_process_opens_its_objective_itself() -> None:
    run = plan(load_config(BaselineSettings, {"budget": "5"}, {}))
    there = pickle.loads(pickle.dumps(replace(run)))
    assert there == run
    assert "objective" in vars(run), "it is open already"
    assert "objective" not in vars(there)
    assert there.objective.describe() == run.objective.describe()
    assert there.recipe == run.recipe
