"""Which trial a run recommends: one definition for what is printed, kept and reported.

A look-up may ask for fewer epochs than its table has. What it answers then is the error of another, shorter training;
so it says in its info what the cell is worth after all epochs, and regret is counted from that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from metaopt.core.trial import Result, Trial

#: Of a look-up's cell after all epochs of the table, means over its repeats; where the answer is of fewer epochs, or of
#: a single repeat.
FINAL_VALID_ERROR, FINAL_TEST_ERROR = "final_valid_error", "final_test_error"


def final_errors(info: Mapping[str, Any]) -> tuple[float, float] | None:
    """Returns validation and test error of an answer's cell after all epochs; None if the answer does not say so."""
    if FINAL_VALID_ERROR not in info:
        return None
    valid, test = (_error(info.get(name)) for name in (FINAL_VALID_ERROR, FINAL_TEST_ERROR))
    return None if math.isnan(valid) else (valid, test)


def _error(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return math.nan
    return float(value) if 0 <= value <= 1 else math.nan


class Incumbent:
    """The trial of the lowest validation error, of equal ones the first that was asked for; takes one after the other.

    A configuration is to be used at full epochs, so only trials count that tell what it is worth there: those at the
    most epochs that any has an error for, and look-ups after fewer that say what their cell is worth after all. The
    error that decides is that after the trial's own epochs, as in the published comparisons on
    NAS-Bench-101.
    """

    def __init__(self) -> None:
        self._most = 0
        self._full: _Found | None = None
        self._final: _Found | None = None

    def take(self, trial: Trial, result: Result) -> None:
        """Takes a trial with its answer, in any order of trials."""
        if result.status != "ok" or result.valid_error is None:
            return
        found = (result.valid_error, trial.id, trial, result)
        if trial.epochs > self._most:
            self._most, self._full = trial.epochs, None
        if trial.epochs == self._most:
            self._full = _first(self._full, found)
        if final_errors(result.info):
            self._final = _first(self._final, found)

    @property
    def found(self) -> tuple[Trial, Result] | None:
        """The trial and its answer; None without any."""
        if self._full is None:
            return None
        best = _first(self._final, self._full)
        return best[2], best[3]


_Found = tuple[float, int, Trial, Result]


def _first(one: _Found | None, other: _Found) -> _Found:
    return other if one is None or other[:2] < one[:2] else one
