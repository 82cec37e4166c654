"""Anytime curves, as arrays: what a run would have answered had it been stopped at any point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metaopt.core.arrays import Floats

_EXACT = 12  # decimals of a regret: coarser than the noise of double precision
#: Of a regret: finer than any test set, coarser than the noise of single precision.
DECIMALS = 7


@dataclass(frozen=True)
class Anytime:
    """The best cell after every answered evaluation: that of the lowest validation error so far.

    A look-up's validation error is that after its own epochs; its cell's regret is counted after all epochs, as mean
    over the repeats. So it was done in the published comparisons on NAS-Bench-101.

    Attributes:
        evaluations: (n,) number of answers so far, 1 to n, failures included.
        epochs: (n,) epochs charged so far, failures included: of supernets, or those that a table's cells were trained.
        seconds: (n,) seconds of the run, time in which no driver ran left out; of look-ups on a simulated clock, what
            the table says that the trainings took.
        valid: (n,) validation regret of that cell, NaN before the first; the error where the optimum is unknown.
        test: (n,) its test regret, likewise; the test error never chooses.
    """

    evaluations: Floats
    epochs: Floats
    seconds: Floats
    valid: Floats
    test: Floats


@dataclass(frozen=True)
class Band:
    """Several curves summed up on one grid.

    Attributes:
        grid: (m,) places where every curve has a value.
        mean: (m,) over the curves.
        median: (m,) over the curves.
        low: (m,) 25 % quantile over the curves.
        high: (m,) 75 % quantile over the curves.
    """

    grid: Floats
    mean: Floats
    median: Floats
    low: Floats
    high: Floats


def regret(error: float, optimum: float | None) -> float:
    """Returns the regret of an error, or the error itself where no lowest one is known; NaN of NaN.

    Means of the same repeats in another order differ in their last digit: that much above or below none is none.
    """
    return round(error - (optimum or 0.0), _EXACT) + 0.0


def without_noise(values: Floats) -> Floats:
    """Returns values of which those are equal that only the noise of single precision keeps apart.

    Rounding each by itself would not do: where a boundary lies between two of them, it drives them apart. No value
    moves by more than one and a half units of the last decimal, however close they lie.

    Args:
        values: (n,) regrets, all that are held against each other; infinite or NaN where there is none.
    """
    finite = np.isfinite(values)
    lowest: list[float] = []  # of those that become equal
    for value in np.unique(values[finite]).tolist():
        if not lowest or value - lowest[-1] >= 10**-DECIMALS:
            lowest.append(value)
    equal = values.copy()
    equal[finite] = np.round(lowest, DECIMALS)[np.searchsorted(lowest, values[finite], side="right") - 1]
    return equal


def step_values(x: Floats, y: Floats, grid: Floats) -> Floats:
    """Returns the step function of (x, y) at ``grid``: the last y at or before each place, NaN before the first x.

    Args:
        x: (n,) ascending.
        y: (n,) values from each x on.
        grid: (m,) places.
    """
    place = np.searchsorted(x, grid, side="right") - 1
    return np.where(place < 0, np.nan, y[np.maximum(place, 0)])


def band(curves: Sequence[tuple[Floats, Floats]]) -> Band | None:
    """Sums up step functions from where all have begun until the first one ends; nothing is extrapolated.

    Args:
        curves: Pairs of (n_i,) ascending places and (n_i,) values, possibly of different lengths.

    Returns:
        None if there is no place that all curves share.
    """
    if not curves or any(len(x) == 0 for x, _ in curves):
        return None
    end = min(x[-1] for x, _ in curves)
    grid = np.unique(np.concatenate([x for x, _ in curves]))
    values = np.array([step_values(x, y, grid) for x, y in curves])
    shared = (grid <= end) & ~np.isnan(values).any(axis=0)
    if not shared.any():
        return None
    grid, values = grid[shared], values[:, shared]
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return Band(grid, values.mean(axis=0), median, low, high)
