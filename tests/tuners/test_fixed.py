from __future__ import annotations

from typing import Any

import pytest

from metaopt.core.errors import ConfigError
from metaopt.spaces.space import load_space
from metaopt.tuners.base import Problem
from metaopt.tuners.fixed import Fixed

A: dict[str, Any] = {"weight_decay": 3e-4, "cutout_prob": 0.0}
B: dict[str, Any] = {"weight_decay": 1e-5, "cutout_prob": 0.5}


def fixed(**options: Any) -> Fixed:
    return Fixed(Problem(load_space("darts_cs1"), 3, 3, 27), **options)


def test_goes_round_the_configurations_and_ends() -> None:
    tuner = fixed(configs=[B, A], repeats=3)
    trials = tuner.ask(4) + tuner.ask(9)
    assert [trial.config for trial in trials] == [B, A] * 3
    assert [trial.key for trial in trials] == [0, 1] * 3
    assert {trial.epochs for trial in trials} == {27}
    assert len({trial.seed for trial in trials}) == 6
    assert tuner.ask() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"configs": []}, "there is no configuration to evaluate"),
        ({"configs": [A], "repeats": 0}, "repeats must be at least 1, got 0"),
        ({"configs": [A, {**A, "cutout_prob": 2.0}]}, "cutout_prob cannot be 2.0"),
        ({"configs": [{"weight_decay": 3e-4}]}, "active but has no value set"),
    ],
)
def test_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fixed(**options)
