from __future__ import annotations

import pytest

from metaopt.core.errors import ConfigError
from metaopt.oneshot.darts import DartsSettings
from metaopt.oneshot.settings import SearchSettings


def test_what_a_configuration_leaves_out_keeps_the_method_s_default() -> None:
    settings = DartsSettings.from_config({"learning_rate": 0.5})
    assert settings == DartsSettings(learning_rate=0.5)
    assert isinstance(settings, DartsSettings)
    assert (settings.batch_size, settings.arch_learning_rate, settings.arch_weight_decay) == (96, 3e-4, 1e-3)


def test_a_hyperparameter_of_another_optimizer_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown hyperparameter 'arch_learning_rate'"):
        SearchSettings.from_config({"arch_learning_rate": 0.5})


@pytest.mark.parametrize(("name", "value"), [("batch_size", 20.5), ("batch_size", 96.0), ("cutout_length", True)])
def test_a_number_of_things_is_whole(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a whole number( or none)?, got {value}"):
        SearchSettings.from_config({name: value})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("cutout_prob", 1.5, r"in \[0, 1\]"),
        ("grad_clip", 0, "more than 0"),
        ("learning_rate", 0, "more than 0"),
        ("cutout_length", 0, "at least 1"),
        ("cutout", "false", "true or false"),
        ("perturb", 1, "true or false"),
        ("learning_rate", "0.1", "a number"),
        ("learning_rate", True, "a number"),
        ("weight_decay", float("nan"), "a number"),
    ],
)
def test_values_that_make_no_sense(name: str, value: float, allowed: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be {allowed}, got {value!r}"):
        DartsSettings.from_config({name: value})
