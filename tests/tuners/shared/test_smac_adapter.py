from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float, ForbiddenEqualsClause, OrdinalHyperparameter
from smac import HyperparameterOptimizationFacade as Facade
from smac.main.config_selector import ConfigSelector
from smac.runhistory import StatusType

from metaopt.core.trial import Result
from metaopt.spaces.space import check_config
from tuning import new, run


def test_crashes_are_told_as_the_worst_loss_and_running_trials_are_known() -> None:
    tuner = new("smac")
    first, second, _ = tuner.ask(3)
    tuner.tell(Result(second.id, "timeout"))
    tuner.tell(Result(first.id, "ok", 0.25))
    values = list(tuner._model._history.values())
    assert [(value.status, value.cost) for value in values[:2]] == [
        (StatusType.SUCCESS, 0.25),
        (StatusType.CRASHED, 1.0),
    ]
    assert values[2].status == StatusType.RUNNING


def test_best_point_is_the_one_that_smac_finds() -> None:
    """Asking the forest once for all results must give what asking for one after the other gives."""
    tuner = new("smac", challengers=20)
    run(tuner, 30)
    selector = tuner._model._selector(30)
    next(iter(selector))
    points = selector._collect_data()[2]
    point, expected = selector._get_x_best(points)
    theirs, their_expected = ConfigSelector._get_x_best(selector, points)
    assert expected == pytest.approx(their_expected)
    np.testing.assert_array_equal(point, theirs)


def test_forest_is_the_one_of_smac() -> None:
    """Its limits on threads and leaves, which cost time only, must not change what it says."""
    tuner = new("smac", challengers=20)
    run(tuner, 30)
    selector = tuner._model._selector(30)
    ours, theirs = selector._model, Facade.get_model(tuner._model._scenario(30))
    x, y, points = selector._collect_data()
    for forest in (ours, theirs):
        forest.train(x, y)
    np.testing.assert_allclose(ours.predict(points), theirs.predict(points), rtol=1e-12)


def test_ordinals_and_forbidden_clauses_are_kept_to() -> None:
    space = ConfigurationSpace(seed=0)
    space.add(Categorical("kind", ["a", "b", "c"]), OrdinalHyperparameter("width", [8, 16, 32]), Float("x", (0.0, 1.0)))
    space.add(ForbiddenEqualsClause(space["kind"], "c"))
    tuner = new("smac", space, challengers=50)
    for _ in range(30):
        (trial,) = tuner.ask()
        check_config(space, trial.config)
        tuner.tell(Result(trial.id, "ok", 0.1 + int(trial.config["width"]) / 64))


def test_goes_on_when_the_whole_space_was_proposed() -> None:
    space = ConfigurationSpace()
    space.add(Categorical("kind", ["a", "b"]), Categorical("other", ["a", "b"]))
    tuner = new("smac", space, challengers=10, n_initial=1)
    seen = []
    for _ in range(8):
        (trial,) = tuner.ask()
        seen.append(tuple(trial.config.values()))
        tuner.tell(Result(trial.id, "ok", 0.5 if trial.config["kind"] == "a" else 0.2))
    assert len(set(seen[:4])) == 4, "none twice while there are others"


def two_configurations() -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add(Categorical("kind", ["a", "b"]))
    return space


def test_nothing_is_called_a_models_that_no_forest_proposed() -> None:
    """Repeats of two configurations are no three results of a forest."""
    tuner = new("smac_mf", two_configurations(), challengers=10, min_trials=3)
    for _ in range(16):
        (trial,) = tuner.ask()
        assert not trial.memo["model_based"]
        tuner.tell(Result(trial.id, "ok", 0.5 if trial.config["kind"] == "a" else 0.2))


def test_a_repeat_that_runs_hides_no_result() -> None:
    tuner = new("smac", two_configurations(), challengers=10, n_initial=1)
    for _ in range(3):
        (trial,) = tuner.ask()
        tuner.tell(Result(trial.id, "ok", 0.5 if trial.config["kind"] == "a" else 0.2))
    tuner.ask(4)
    assert sorted(value.cost for value in tuner._model._history.values()) == [0.2, 0.5]
