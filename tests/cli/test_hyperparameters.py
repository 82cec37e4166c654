from __future__ import annotations

import pytest

from metaopt.cli.hyperparameters import hyperparameters
from metaopt.core.errors import ConfigError
from metaopt.spaces.space import load_space


def test_what_is_given_stands_in_the_place_of_the_default() -> None:
    default = hyperparameters("darts", [])
    assert default["learning_rate"] == 0.025
    changed = hyperparameters("darts", ["learning_rate=1e-1", "batch_size=32", "warm_start=0.5"])
    assert changed == {**default, "learning_rate": 0.1, "batch_size": 32, "warm_start": 0.5}


def test_text_becomes_what_the_setting_is() -> None:
    changed = hyperparameters("darts", ["cutout=True", "cutout_length=none", "grad_clip=3"])
    assert changed["cutout"] is True
    assert changed["cutout_length"] is None
    assert type(changed["grad_clip"]) is float


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["learning_rate"], "--set takes NAME=VALUE, got 'learning_rate'"),
        (["learning_rat=1"], "unknown hyperparameter 'learning_rat'; did you mean 'learning_rate'?"),
        (["learning_rate=fast"], "learning_rate must be a number, got 'fast'"),
        (["learning_rate=nan"], "learning_rate must be a number, got 'nan'"),
        (["batch_size=1.5"], "batch_size must be a whole number, got '1.5'"),
        (["cutout=maybe"], "cutout must be true or false, got 'maybe'"),
        (["cutout_length=x"], "cutout_length must be a whole number or none, got 'x'"),
        (["momentum=2"], r"momentum must be in \[0, 1\], got 2"),
        (["cutout_prob=0.5"], "cutout_prob has no effect"),
    ],
)
def test_mistakes(pairs: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        hyperparameters("darts", pairs)


def test_an_optimizer_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="unknown one-shot optimizer 'drats'; did you mean 'darts'"):
        hyperparameters("drats", [])


def test_defaults_of_another_space() -> None:
    assert hyperparameters("darts", ["momentum=0.5"], "darts_cs1").keys() == {*load_space("darts_cs1"), "momentum"}


def test_what_is_switched_on_has_the_space_s_default() -> None:
    assert hyperparameters("darts", ["cutout=true"])["cutout_prob"] == 1.0
    with pytest.raises(ConfigError, match="cutout_prob has no effect"):
        hyperparameters("darts", ["cutout_prob=0.5"])
