from __future__ import annotations

from dataclasses import replace

import pytest

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Budget
from metaopt.settings.run import BaselineSettings, RunSettings, TuneSettings, from_json, settings

RUN = TuneSettings(optimizer="darts", space="darts_cs1", budget=5, subset=100, folder="here")
BASELINE = BaselineSettings(budget_seconds=3.5, cell_space=2, tuner_options={"a": 1}, folder="here")


@pytest.mark.parametrize("config", [RUN, BASELINE])
def test_plain_json_and_back(config: RunSettings) -> None:
    assert from_json(config.to_json()) == replace(config, folder=None)
    with pytest.raises(ConfigError, match="not those of this metaopt"):
        from_json({**config.to_json(), "later": 1})


def test_journals_keep_the_key_of_the_space() -> None:
    written = RUN.to_json()
    assert (written["hyperparameters"], "space" in written) == ("darts_cs1", False)
    assert list(written)[-2:] == ["optimizer", "hyperparameters"], "in the order of all journals"


def test_what_the_objectives_take() -> None:
    own = RUN.objective_settings(None)
    assert (own["optimizer"], own["space"], own["subset"]) == ("darts", "darts_cs1", 100)
    assert RUN.objective_settings({"name": "x"})["space"] == {"name": "x"}
    assert BASELINE.objective_settings(None) == {
        "errors": "mean",
        "benchmark": "digits",
        "cell_space": 2,
        "unknown": None,
    }


def test_runs_are_called_after_what_tells_them_apart() -> None:
    assert (RUN.name, BASELINE.name) == ("darts-digits1-bohb-s0", "cells-digits2-random-s0")


def test_limits() -> None:
    assert (RUN.limits, BASELINE.limits) == (Budget(5), Budget(seconds=3.5))


def test_only_what_has_a_help_text_can_be_set() -> None:
    of_run, of_baseline = ({of.name for of in settings(kind)} for kind in (TuneSettings, BaselineSettings))
    assert of_run - of_baseline == {
        *("optimizer", "space", "executor", "cluster", "time_limit_s", "memory_limit_mb", "confirm"),
        *("channels", "cells", "batch_norm", "images", "pixels", "subset", "device"),
    }
    assert of_baseline - of_run == {"errors"}
    assert [of.name for of in settings(TuneSettings)][-1] == "device"
