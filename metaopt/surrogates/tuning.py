"""The hyperparameters of a surrogate, tuned by BOHB by ask and tell in memory: the project's own tuner, once more.

Epochs are rounds of boosting, trees, or passes over the cells. A configuration learns from all training cells but two
folds: one ends its training, the other one scores it, so that neither the held-out cells nor the choice of the last
round speak for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from metaopt.core.registry import resolve
from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import load_space, plain
from metaopt.surrogates import SURROGATES
from metaopt.surrogates.base import Data, Surrogate
from metaopt.surrogates.ensemble import FOLDS, fold_of
from metaopt.tuners.base import Problem
from metaopt.tuners.bohb import BOHB


@dataclass(frozen=True)
class TuningOutcome:
    """What the tuning of one model has found.

    Attributes:
        config: The best configuration, or the default if that is better.
        trials: Every evaluation: number of the configuration, configuration, epochs, ``mae`` of the validation error.
        default_mae: Of the default configuration with all epochs.
        mae: Of :attr:`config` with all epochs.
    """

    config: Mapping[str, Any]
    trials: list[dict[str, Any]]
    default_mae: float
    mae: float


def default_config(name: str) -> dict[str, Any]:
    """Returns the default hyperparameters of a model.

    Raises:
        ConfigError: if there is no such model.
    """
    resolve("surrogate", SURROGATES, name)
    return plain(load_space(f"surrogate_{name}").get_default_configuration())


def tune(
    name: str,
    data: Data,
    evaluations: int,
    *,
    seed: int,
    threads: int = 1,
    told: Callable[[], None] = lambda: None,
) -> TuningOutcome:
    """Tunes one model.

    Args:
        name: Of the model.
        data: The training cells.
        evaluations: Trials; the default and the best one are fitted with all epochs on top of them if need be.
        seed: Of everything random.
        threads: Cores to use.
        told: Called after every trial.

    Raises:
        ConfigError: if there is no such model, or if its package is not installed.
    """
    kind: type[Surrogate] = resolve("surrogate", SURROGATES, name)
    space = load_space(f"surrogate_{name}")
    tuner = BOHB(Problem(space, seed, kind.min_epochs, kind.epochs))
    fold = fold_of(len(data.cells), FOLDS, seed)
    stop, judged = (data.select(np.flatnonzero(fold == number)) for number in (0, 1))
    rest = data.select(np.flatnonzero(fold > 1))

    def score(config: Mapping[str, Any], epochs: int) -> float:
        model = kind(config, seed=seed_integer(seed, "surrogate tuning"), threads=threads)
        model.fit(rest, stop, epochs=epochs)
        return float(np.abs(model.predict(judged.cells) - judged.errors)[:, 0].mean())

    trials: list[dict[str, Any]] = []
    for _ in range(evaluations):
        (trial,) = tuner.ask(1)
        mae = score(trial.config, trial.epochs)
        tuner.tell(_result(trial, mae))
        finite = mae if np.isfinite(mae) else None
        trials.append({"key": trial.key, "config": dict(trial.config), "epochs": trial.epochs, "mae": finite})
        told()
    return _chosen(default_config(name), trials, kind.epochs, score)


def _result(trial: Trial, mae: float) -> Result:
    if not np.isfinite(mae):
        return Result(trial.id, "crashed", reason="the predictions are not numbers")
    return Result(trial.id, "ok", valid_error=mae)


def _chosen(
    default: dict[str, Any],
    trials: list[dict[str, Any]],
    epochs: int,
    score: Callable[[Mapping[str, Any], int], float],
) -> TuningOutcome:
    """Compares the best configuration at the largest budget that one was seen with, and the default, at all epochs."""
    seen = [trial for trial in trials if trial["mae"] is not None]
    largest = max((trial["epochs"] for trial in seen), default=0)
    best = min((t for t in seen if t["epochs"] == largest), key=lambda t: t["mae"], default={"config": default})
    full = {id(config): score(config, epochs) for config in (default, best["config"])}
    mine, ours = full[id(default)], full[id(best["config"])]
    return (
        TuningOutcome(best["config"], trials, mine, ours) if ours < mine else TuningOutcome(default, trials, mine, mine)
    )
