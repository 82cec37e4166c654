from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)

from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import check_config, load_space
from metaopt.tuners.base import Problem
from metaopt.tuners.reinforce import Mean, Reinforce


def space_of(*hyperparameters: Any) -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add(*hyperparameters)
    return space


def reinforce(space: ConfigurationSpace, **options: Any) -> Reinforce:
    return Reinforce(Problem(space, options.pop("seed", 1), 3, 27), **options)


def run(tuner: Reinforce, n: int) -> list[Trial]:
    """Tells 0.07 of the better operation and 0.09 of the worse, differences as in a table of cells."""
    trials = []
    for _ in range(n):
        trials += tuner.ask()
        tuner.tell(Result(trials[-1].id, "ok", valid_error=0.07 if trials[-1].config["op"] == "good" else 0.09))
    return trials


OP = Categorical("op", ["bad", "good"])


def test_as_published_it_hardly_learns_within_280_evaluations() -> None:
    tuner = reinforce(space_of(OP))
    run(tuner, 280)
    assert 0.5 < tuner.probabilities("op")[1] < 0.6


@pytest.mark.parametrize("options", [{"reward_scaling": True}, {"adam": True}, {"rate": 10.0}])
def test_scaled_it_learns_the_better_choice(options: dict[str, Any]) -> None:
    tuner = reinforce(space_of(OP), **options)
    trials = run(tuner, 280)
    assert tuner.probabilities("op")[1] > 0.9
    assert sum(trial.config["op"] == "good" for trial in trials[-50:]) > 40


def test_one_step_by_hand() -> None:
    """Baseline after rewards 0.5 and 0.8: (0.9 * 0.05 + 0.08) / (1 - 0.9^2); softmax 1/2; rate 0.1."""
    tuner = reinforce(space_of(OP))
    first, second = tuner.ask(2)
    tuner.tell(Result(first.id, "ok", valid_error=0.5))
    assert tuner.probabilities("op").tolist() == [0.5, 0.5]
    tuner.tell(Result(second.id, "ok", valid_error=0.2))
    step = 0.1 * (0.8 - (0.9 * 0.05 + 0.08) / 0.19) * 0.5
    sign = 1 if second.config["op"] == "good" else -1
    p = tuner.probabilities("op")
    assert np.log(p[1] / p[0]) == pytest.approx(sign * 2 * step)


def test_a_mean_is_corrected_for_its_start() -> None:
    mean = Mean(0.9)
    assert mean.update(3.0) == pytest.approx(3.0)
    assert mean.update(1.0) == pytest.approx((0.9 * 0.3 + 0.1) / 0.19)


def test_draws_are_even_at_first_and_choices_stand_in_the_memo() -> None:
    rate, batch = Float("rate", (1e-4, 1.0), log=True), Integer("batch", (1, 3))
    width = OrdinalHyperparameter("width", [8, 16, 32])
    space = space_of(rate, batch, width, Constant("cells", 3), Categorical("gate", [True, False]))
    trials = reinforce(space, bins=4).ask(300)
    assert trials[0].memo["choices"] == {"rate": 2, "batch": 1, "width": 0, "cells": 0, "gate": 0}
    for trial in trials:
        choices = trial.memo["choices"]
        assert choices["rate"] == int(float(rate.to_vector(trial.config["rate"])) * 4)
        assert trial.config["batch"] == choices["batch"] + 1
        assert trial.config["width"] == [8, 16, 32][choices["width"]]
        assert trial.config["gate"] is (choices["gate"] == 0)
    log = space_of(Integer("batch", (1, 4), log=True, default=2))
    assert all(t.config["batch"] == t.memo["choices"]["batch"] + 1 for t in reinforce(log).ask(5))
    counts = np.bincount([trial.memo["choices"]["rate"] for trial in trials], minlength=4)
    assert counts == pytest.approx([75] * 4, abs=25)
    assert len({trial.config["rate"] for trial in trials}) > 290


def test_what_is_inactive_is_left_alone() -> None:
    gate, length = Categorical("gate", [False, True], default=False), Integer("length", (1, 4), default=2)
    space = space_of(gate, length)
    space.add(EqualsCondition(length, gate, True))
    tuner = reinforce(space, rate=1.0)
    off = [trial for trial in tuner.ask(40) if not trial.config["gate"]]
    assert all("length" not in trial.memo["choices"] for trial in off)
    for i, trial in enumerate(off):
        tuner.tell(Result(trial.id, "ok", valid_error=i % 2 / 2))
    assert tuner.probabilities("length").tolist() == [0.25] * 4
    assert tuner.probabilities("gate")[0] != 0.5


def test_the_forbidden_is_drawn_again() -> None:
    space = load_space("darts_cs3")
    space.add(ForbiddenEqualsClause(space["grad_clip"], 3))
    for trial in reinforce(space).ask(60):
        check_config(space, trial.config)
