from __future__ import annotations

import dataclasses
import math

from metaopt.core.trial import Result
from metaopt.spaces.space import load_space
from metaopt.tuners.base import Problem
from metaopt.tuners.random import Random


def test_draws_cover_the_prior_at_the_largest_budget() -> None:
    tuner = Random(Problem(load_space("darts_cs2"), 3, 3, 27))
    trials = tuner.ask(301)[1:]
    assert {trial.epochs for trial in trials} == {27}
    # learning_rate is log-uniform over 1e-3 .. 1: a third of the draws in each decade, 100 +- 8.
    decades = [math.floor(math.log10(float(trial.config["learning_rate"]))) for trial in trials]
    assert all(60 < decades.count(decade) < 140 for decade in (-3, -2, -1))


def test_learns_nothing() -> None:
    told, untold = (Random(Problem(load_space("darts_cs1"), 3, 3, 27)) for _ in range(2))
    first = told.ask(3)
    for trial in first:
        told.tell(Result(trial.id, "ok", valid_error=trial.id / 4))
    assert first + told.ask(5) == untold.ask(8)


def test_replay_takes_the_logged_configuration() -> None:
    logged = Random(Problem(load_space("darts_cs1"), 3, 3, 27)).ask(2)
    logged[1] = dataclasses.replace(logged[1], config={"cutout_prob": 0.125, "weight_decay": 1e-4})
    tuner = Random(Problem(load_space("darts_cs1"), 3, 3, 27))
    tuner.replay(logged)
    assert [trial.id for trial in tuner.ask(2)] == [2, 3]
