"""Trajectories of repeated searches, epoch by epoch: mean and standard error. Pure arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.groups import Repeats
from metaopt.report.data.regret import regret_name

#: What a trajectory may hold, and how it is called on an axis; see also :func:`quantity_name`.
QUANTITIES = {
    "test_error": "test regret",
    "one_shot_error": "one-shot validation error",
    "eigenvalue": "dominant eigenvalue",
}


@dataclass(frozen=True)
class Curve:
    """Repeats of one search over its epochs; epochs without any value are left out.

    Attributes:
        epochs: (m,) from 1, ascending.
        n: (m,) repeats with a value.
        mean: (m,) over the repeats.
        standard_error: (m,) of the mean; 0 where there is a single repeat.
    """

    epochs: Floats
    n: Floats
    mean: Floats
    standard_error: Floats


def quantity_name(quantity: str, repeats: Sequence[Repeats]) -> str:
    """Returns how a quantity of these searches is called on an axis: an error is a regret where an optimum is known."""
    if quantity == "test_error":
        return regret_name([one.optimum_test_error for one in repeats])
    return QUANTITIES[quantity]


def trajectories(repeats: Repeats, quantity: str) -> Floats:
    """Returns a quantity of every search, (repeats, epochs), NaN where it was not measured.

    There are as many epochs as in the longest search, whichever quantity it has. The test error is counted from the
    lowest there is, where that is known: as regret.
    """
    found = [e.info.get("trajectory", {}) for e in repeats.evaluations]
    rows = [_numbers(trajectory.get(quantity)) for trajectory in found]
    width = max((len(trajectory.get(name) or ()) for trajectory in found for name in QUANTITIES), default=0)
    values = np.array([[*row, *[math.nan] * (width - len(row))] for row in rows], dtype=float).reshape(len(rows), width)
    return values - (repeats.optimum_test_error or 0.0) if quantity == "test_error" else values


def _numbers(values: Sequence[Any] | None) -> list[float]:
    return [math.nan if value is None else float(value) for value in values or ()]


def curve(repeats: Repeats, quantity: str) -> Curve | None:
    """Returns mean and standard error of a quantity over the epochs; None if it was never measured."""
    values = trajectories(repeats, quantity)
    there = ~np.isnan(values)
    n = there.sum(axis=0)
    measured = np.flatnonzero(n)
    if measured.size == 0:
        return None
    columns = [values[there[:, epoch], epoch] for epoch in measured]
    deviations = [float(np.std(column, ddof=1)) if len(column) > 1 else 0.0 for column in columns]
    return Curve(
        epochs=(measured + 1).astype(np.float64),
        n=n[measured].astype(float),
        mean=np.array([column.mean() for column in columns]),
        standard_error=np.array(deviations) / np.sqrt(n[measured]),
    )
