"""The best cell of a run, and its anytime curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.stats.curves import Anytime, regret


def anytime(run: RunData) -> Anytime:
    """Returns the anytime curve of a run over everything that was told, at whatever epochs.

    Every trial counts whose cell is known after all epochs: a search leaves one that the table scores in full.
    """
    best = best_so_far(run)
    valid = [one.final_valid_error if one else math.nan for one in best]
    test = [one.final_test_error if one else math.nan for one in best]
    return Anytime(
        evaluations=np.arange(1.0, len(run.told) + 1),
        epochs=np.cumsum([e.charged_epochs for e in run.told], dtype=float),
        seconds=np.array([e.told_s for e in run.told], dtype=float),
        valid=_regrets(valid, run.optimum_valid_error),
        test=_regrets(test, run.optimum_test_error),
    )


def best_so_far(run: RunData) -> list[Evaluation | None]:
    """Returns the best cell after each answer, in their order; None before the first."""
    best: Evaluation | None = None
    found = []
    for evaluation in run.told:
        if evaluation.is_final and (best is None or _order(evaluation) < _order(best)):
            best = evaluation
        found.append(best)
    return found


def _order(evaluation: Evaluation) -> tuple[float, int]:
    return evaluation.valid_error, evaluation.trial.id


def _regrets(errors: Sequence[float], optimum: float | None) -> Floats:
    return np.array([regret(error, optimum) for error in errors], dtype=float)


def best_cell(evaluations: Sequence[Evaluation]) -> Evaluation | None:
    """Returns the evaluation of the lowest validation error after its own epochs, the first asked for of equals.

    None if there is none whose cell is known after all epochs.
    """
    return min((e for e in evaluations if e.is_final), key=_order, default=None)
