from __future__ import annotations

import dataclasses
import logging
import math
import statistics
import warnings
from typing import Any

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace, ForbiddenEqualsClause, OrdinalHyperparameter

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import check_config, load_space
from metaopt.tuners.base import Problem, Tuner
from metaopt.tuners.bohb import BOHB
from metaopt.tuners.random import Random


def bohb(space: ConfigurationSpace | None = None, **options: Any) -> BOHB:
    problem = Problem(load_space("darts_cs2") if space is None else space, options.pop("seed", 1), 3, 27)
    return BOHB(problem, **{"eta": 3, **options})


def run(tuner: Tuner, epochs: int) -> list[tuple[Trial, float]]:
    """Runs a tuner serially within a budget of epochs on :func:`error`."""
    done: list[tuple[Trial, float]] = []
    while epochs > 0:
        (trial,) = tuner.ask()
        done.append((trial, error(trial)))
        tuner.tell(Result(trial.id, "ok", valid_error=done[-1][1]))
        epochs -= trial.epochs
    return done


def error(trial: Trial) -> float:
    """A bowl over three hyperparameters of darts_cs2, lowest at 0.05, that more epochs bring down."""
    config = {name: float(value) for name, value in trial.config.items()}
    distance = (math.log10(config["learning_rate"]) + 1) ** 2 / 4 + (math.log10(config["weight_decay"]) + 4.5) ** 2 / 4
    distance += (config["cutout_prob"] - 0.7) ** 2
    return min(1.0, 0.05 + 0.3 * distance + 0.3 * math.exp(-trial.epochs / 6))


def test_model_starts_when_both_densities_have_their_points() -> None:
    """darts_cs2 has 3 hyperparameters: 4 good and 4 bad results on one budget, so nothing before the ninth ask."""
    trials = [trial for trial, _ in run(bohb(random_fraction=0.0), epochs=300)]
    new = [trial for trial in trials if trial.id == 0 or trial.key > max(t.key for t in trials[: trial.id])]
    assert not any(trial.memo["model_based"] for trial in new[:8])
    assert all(trial.memo["model_based"] for trial in new[9:])


def test_random_fraction_of_one_is_never_model_based() -> None:
    assert not any(trial.memo["model_based"] for trial, _ in run(bohb(random_fraction=1.0), epochs=300))


def test_model_looks_near_the_good_ones() -> None:
    trials = [trial for trial, _ in run(bohb(), epochs=900)]
    from_model = [error(dataclasses.replace(t, epochs=27)) for t in trials if t.memo["model_based"]]
    from_prior = [error(dataclasses.replace(t, epochs=27)) for t in trials if not t.memo["model_based"]]
    assert statistics.median(from_model) < statistics.median(from_prior)


def test_replayed_asks_do_no_model_work(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [event for trial, loss in run(bohb(), epochs=300) for event in (trial, Result(trial.id, "ok", loss))]
    tuner = bohb()
    monkeypatch.setattr(tuner._model, "get_config", None)
    tuner.replay(events)
    assert tuner._model.kde_models


def test_crashed_trials_count_as_bad() -> None:
    tuner = bohb()
    for trial in tuner.ask(9):
        good = trial.id % 2 == 0
        tuner.tell(Result(trial.id, "ok", 0.1) if good else Result(trial.id, "crashed"))
    losses = tuner._model.losses[3.0]
    assert losses == [0.1, math.inf] * 4 + [0.1]


def test_silent_and_leaves_global_state_alone(caplog: pytest.LogCaptureFixture) -> None:
    handlers, errors = list(logging.getLogger().handlers), np.geterr()
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        filters = list(warnings.filters)
        tuner = bohb(load_space("darts"), num_samples=4)
        for trial in tuner.ask(60):
            tuner.tell(Result(trial.id, "ok", 0.5) if trial.id % 2 else Result(trial.id, "crashed"))
        tuner.ask(10)
        assert warnings.filters == filters
    assert not caught
    assert not caplog.records
    assert (list(logging.getLogger().handlers), np.geterr()) == (handlers, errors)


def test_forbidden_clauses_are_kept_to() -> None:
    space = load_space("darts_cs3")
    space.add(ForbiddenEqualsClause(space["grad_clip"], 3))
    for trial, _ in run(bohb(space, num_samples=4), epochs=500):
        check_config(space, trial.config)


def test_ordinals_are_refused() -> None:
    space = ConfigurationSpace({"rate": (0.0, 1.0)})
    space.add(OrdinalHyperparameter("width", [8, 16]))
    with pytest.raises(ConfigError, match="no ordinal hyperparameters, got width"):
        bohb(space)


def test_a_model_needs_more_good_results_than_hyperparameters() -> None:
    with pytest.raises(ConfigError, match="min_points_in_model must be at least 4 in this space, got 3"):
        bohb(min_points_in_model=3)


@pytest.mark.slow
def test_beats_random_in_median() -> None:
    """Equal epochs, 15 fixed seeds, so this is deterministic; what is compared is the best error at 27 epochs."""

    def median(tuner: type[Tuner]) -> float:
        best = []
        for seed in range(15):
            space = load_space("darts_cs2")
            done = run(tuner(Problem(space, seed, 3, 27)), epochs=27 * 30)
            best.append(min(loss for trial, loss in done if trial.epochs == 27))
        return statistics.median(best)

    assert median(BOHB) < median(Random)
