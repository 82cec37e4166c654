"""Which trial a run recommends: one definition for what is printed, kept and reported.

A look-up may ask for fewer epochs than its table has. What it answers then is the error of another, shorter training;
so it says in its info what the cell is worth after all epochs, and regret is counted from that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from metaopt.trial import Result, Trial

#: Of a look-up's cell after all epochs of the table, means over its repeats; where the answer is of fewer epochs, or of
#: a single repeat.
FINAL_VALID_ERROR, FINAL_TEST_ERROR = "final_valid_error", "final_test_error"


def final_errors(info: Mapping[str, Any]) -> tuple[float, float] | None:
    """Returns validation and test error of an answer's cell after all epochs; None if the answer does not say so."""
    valid, test = (_error(info.get(name)) for name in (FINAL_VALID_ERROR, FINAL_TEST_ERROR))
    return None if math.isnan(valid) else (valid, test)


def _error(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return math.nan
    return float(value) if 0 <= value <= 1 else math.nan


def incumbent(answered: Iterable[tuple[Trial, Result]]) -> Trial | None:
    """Returns the trial of the lowest validation error, of equal ones the first that was asked for; None without any.

    A configuration is to be used at full epochs, so only trials count that tell what it is worth there: those at the
    most epochs that any has an error for, and look-ups after fewer that say what their cell is worth after all. The
    error that decides is that after the trial's own epochs, as in the published comparisons on
    NAS-Bench-101.

    Args:
        answered: Trials with their answers, in any order.
    """
    ok = [(trial, result, error) for trial, result in answered if (error := _valid_error(result)) is not None]
    most = max((trial.epochs for trial, _, _ in ok), default=0)
    told = [
        (error, trial.id, trial) for trial, result, error in ok if trial.epochs == most or final_errors(result.info)
    ]
    return min(told, key=lambda entry: entry[:2], default=(0.0, 0, None))[2]


def _valid_error(result: Result) -> float | None:
    return result.valid_error if result.status == "ok" else None
