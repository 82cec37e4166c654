"""Tuners over the cells of a real table, without networks: what takes minutes otherwise takes a second."""

from __future__ import annotations

import statistics
from functools import cache
from pathlib import Path
from typing import Any

from metaopt.cells.codec import cell_configuration_space, from_config
from metaopt.cells.space import CELL_SPACES
from metaopt.core.registry import resolve
from metaopt.core.trial import Result
from metaopt.tables.table import Table
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem

SPACE = cell_configuration_space(CELL_SPACES[1])

_TABLE = Table(Path(__file__).parents[2] / "benchmarks" / "tables" / "digits-1.parquet")
OPTIMUM = _TABLE.optimum()[0]


@cache
def valid_error(*choices: str) -> float:
    """Returns the mean validation error of a cell of space 1, whose choices are given in the order of the space."""
    return _TABLE.query(from_config(CELL_SPACES[1], dict(zip(SPACE, choices, strict=True))).graph).valid_error


def regret(name: str, seed: int, evaluations: int, **options: Any) -> float:
    """Returns how far the best of a serial run's evaluations is from the best cell of the space."""
    tuner = resolve("tuner", TUNERS, name)(Problem(SPACE, seed, 8, 8), **options)
    errors = []
    for _ in range(evaluations):
        (trial,) = tuner.ask()
        errors.append(valid_error(*(str(trial.config[choice]) for choice in SPACE)))
        tuner.tell(Result(trial.id, "ok", valid_error=errors[-1]))
    return min(errors) - OPTIMUM


@cache
def median_regret(name: str, *, seeds: int = 20, evaluations: int = 150, **options: Any) -> float:
    """Returns the median over fixed seeds, so it is the same in every run."""
    return statistics.median(regret(name, seed, evaluations, **options) for seed in range(seeds))
