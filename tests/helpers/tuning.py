"""Runs of tuners on what is quick to evaluate, for the tests of several tuners."""

from __future__ import annotations

import math
from typing import Any

from ConfigSpace import ConfigurationSpace

from metaopt.core.registry import resolve
from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import load_space
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem, Tuner


def new(name: str, space: ConfigurationSpace | None = None, **settings: Any) -> Any:
    """Returns a registered tuner, over darts_cs2 if no space is given."""
    problem = Problem(load_space("darts_cs2") if space is None else space, settings.pop("seed", 1), 3, 27)
    return resolve("tuner", TUNERS, name)(problem, **settings)


def bowl(trial: Trial) -> float:
    """A bowl over three hyperparameters of darts_cs2, lowest at 0.05, that more epochs bring down."""
    config = {name: float(value) for name, value in trial.config.items()}
    distance = (math.log10(config["learning_rate"]) + 1) ** 2 / 4 + (math.log10(config["weight_decay"]) + 4.5) ** 2 / 4
    distance += (config["cutout_prob"] - 0.7) ** 2
    return min(1.0, 0.05 + 0.3 * distance + 0.3 * math.exp(-trial.epochs / 6))


def run(tuner: Tuner, n: int) -> list[Trial | Result]:
    """Evaluates ``n`` trials on :func:`bowl`, one at a time, and returns what happened."""
    events: list[Trial | Result] = []
    for _ in range(n):
        (trial,) = tuner.ask()
        result = Result(trial.id, "ok", bowl(trial))
        tuner.tell(result)
        events += [trial, result]
    return events


def trials(events: list[Trial | Result]) -> list[Trial]:
    """Returns the asks."""
    return [event for event in events if isinstance(event, Trial)]


def new_trials(events: list[Trial | Result]) -> list[Trial]:
    """Returns the asks of configurations that were not asked before."""
    return list({trial.key: trial for trial in reversed(trials(events))}.values())[::-1]
