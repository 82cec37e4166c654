from __future__ import annotations

from typing import Any

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

from metaopt.core.errors import ConfigError
from metaopt.spaces.space import load_space, plain
from metaopt.tuners.base import Problem
from metaopt.tuners.grid import Grid


def grid(space: ConfigurationSpace, **options: Any) -> Grid:
    return Grid(Problem(space, 3, 3, 27), **options)


def space_of(*hyperparameters: Any) -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add(*hyperparameters)
    return space


def test_goes_round_the_default_first_and_ends() -> None:
    space = space_of(OrdinalHyperparameter("decay", [1, 2, 3], default_value=2), Constant("cells", 4))
    trials = grid(space, repeats=2).ask(100)
    assert [trial.config["decay"] for trial in trials] == [2, 1, 3] * 2
    assert {trial.config["cells"] for trial in trials} == {4}
    assert [trial.key for trial in trials] == [0, 1, 2] * 2
    assert {trial.epochs for trial in trials} == {27}
    assert len({trial.seed for trial in trials}) == 6


def test_numbers_are_even_on_their_own_scale() -> None:
    rate, batch = Float("rate", (1e-4, 1.0), log=True, default=0.025), Integer("batch", (1, 2), default=1)
    assert [c["rate"] for c in grid(space_of(rate)).configs] == pytest.approx([0.025, 1e-4, 1e-2, 1.0])
    assert [c["rate"] for c in grid(space_of(rate), points=2).configs] == pytest.approx([0.025, 1e-4, 1.0])
    assert [c["batch"] for c in grid(space_of(batch), points=5).configs] == [1, 2]


def test_the_inactive_does_not_vary_and_the_forbidden_is_left_out() -> None:
    gate, length = Categorical("gate", [False, True], default=False), Integer("length", (1, 3), default=2)
    space = space_of(gate, length)
    space.add(EqualsCondition(length, gate, True), ForbiddenEqualsClause(length, 3))
    assert grid(space).configs == ({"gate": False}, {"gate": True, "length": 1}, {"gate": True, "length": 2})


def test_over_some_of_the_hyperparameters() -> None:
    space = load_space("darts")
    default = plain(space.get_default_configuration())
    assert grid(space, over=[], repeats=3).configs == (default,)
    off, on = grid(space, over=["cutout"]).configs
    assert off == default
    assert on == {**default, "cutout": True, "cutout_prob": 1.0, "cutout_length": 4}


def test_what_could_not_vary_is_refused() -> None:
    with pytest.raises(ConfigError, match="cutout_prob, which has no effect: it counts only where cutout == True"):
        grid(load_space("darts"), over=["batch_size", "cutout_prob"])
    with pytest.raises(ConfigError, match=r"adaptive, .* counts only where early_stopping in \{'code', 'paper'\}"):
        grid(load_space("darts_robust"), over=["adaptive"])
    gate, length = Categorical("gate", [False, True], default=False), Integer("length", (1, 2), default=1)
    space = space_of(gate, length, Constant("cells", 4))
    space.add(ForbiddenEqualsClause(length, 2))
    with pytest.raises(ConfigError, match="over names length, but the space forbids all its values but one"):
        grid(space, over=["gate", "length"])
    assert len(grid(space, over=["gate", "cells"]).configs) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": ["cutot"]}, "unknown hyperparameter in over: 'cutot'; did you mean 'cutout'"),
        ({"points": 20, "over": None}, "the grid has 138240000000 configurations; allowed: 10000"),
        ({"over": [3]}, "unknown hyperparameter in over: '3'"),
    ],
)
def test_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        grid(load_space("darts"), **options)
