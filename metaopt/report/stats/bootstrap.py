"""Bootstrap intervals over runs, all from named streams, so that they are the same on every machine and every day.

The unit that is drawn is the run. A bootstrap of few values knows little of their tails, and its intervals are too
narrow then (Hesterberg 2015, "What Teachers Should Know About the Bootstrap"); :data:`FEWEST` says from how many runs
on one is given at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from metaopt.core.arrays import Floats
from metaopt.core.seeds import stream

LEVEL = 0.95
#: Fewest runs that an interval is made of, our choice: three can be drawn in ten ways only, so that its ends jump with
#: the smallest change; five can in 126.
FEWEST = 5
#: Resamples of a band, on the order of a thousand for percentiles at 2.5 % (Efron and Tibshirani 1993, "An Introduction
#: to the Bootstrap").
BAND_RESAMPLES = 1000
#: Resamples of a number in a table; the default of :func:`scipy.stats.bootstrap`.
RESAMPLES = 9999
#: Resamples of an effect: our choice, for there are as many effects as pairs.
EFFECT_RESAMPLES = 2000

_TAILS = (100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2)


def mean_band(values: Floats) -> tuple[Floats, Floats]:
    """Returns the pointwise percentile interval of the mean over runs, two of (places,).

    Args:
        values: (runs, places), finite.
    """
    n = len(values)
    draws = stream(0, "bootstrap", "mean band", n).multinomial(n, np.full(n, 1 / n), BAND_RESAMPLES)
    low, high = np.percentile(draws @ values / n, _TAILS, axis=0)
    return low, high


def median_band(values: Floats) -> tuple[Floats, Floats]:
    """Returns the pointwise percentile interval of the median over runs, two of (places,).

    Runs are drawn by their rank at each place, which gives the same distribution there as drawing the runs, and sorts
    each place once instead of once per resample.

    Args:
        values: (runs, places), finite.
    """
    n = len(values)
    ranks = np.sort(stream(0, "bootstrap", "median band", n).integers(n, size=(BAND_RESAMPLES, n)), axis=1)
    ordered = np.sort(values, axis=0)
    medians = (ordered[ranks[:, (n - 1) // 2]] + ordered[ranks[:, n // 2]]) / 2
    low, high = np.percentile(medians, _TAILS, axis=0)
    return low, high


def mean_interval(values: Floats) -> tuple[float, float] | None:
    """Returns the 95 % interval of a mean by the bias-corrected and accelerated bootstrap.

    Efron (1987), "Better Bootstrap Confidence Intervals", as :func:`scipy.stats.bootstrap` has it.

    Args:
        values: (runs,), finite.

    Returns:
        None for fewer than :data:`FEWEST` values, and for values that are all equal, which show no spread.
    """
    if len(values) < FEWEST or np.ptp(values) == 0:
        return None
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="BCa",
        rng=stream(0, "bootstrap", "bca"),
    ).confidence_interval
    return float(found.low), float(found.high)


def effect_interval(wins: Floats) -> tuple[float, float] | None:
    """Returns the 95 % percentile interval of the mean of a matrix of wins, drawing runs of both sides.

    Args:
        wins: (n, m) what a run of one side is worth against one of the other: 1, 0.5 or 0.

    Returns:
        None if a side has fewer than :data:`FEWEST` runs.
    """
    return stratified_interval([wins])


def stratified_interval(wins: Sequence[Floats]) -> tuple[float, float] | None:
    """Returns the same of the mean over several problems, drawing runs within each.

    Args:
        wins: (n, m) of each problem.

    Returns:
        None if a side of any has fewer than :data:`FEWEST` runs.
    """
    if min(min(matrix.shape) for matrix in wins) < FEWEST:
        return None
    means = np.mean([_drawn_means(matrix, place) for place, matrix in enumerate(wins)], axis=0)
    low, high = np.percentile(means, _TAILS)
    return float(low), float(high)


def _drawn_means(wins: Floats, place: int) -> Floats:
    n, m = wins.shape
    rng = stream(0, "bootstrap", "effect", place, n, m)
    left = rng.multinomial(n, np.full(n, 1 / n), EFFECT_RESAMPLES)
    right = rng.multinomial(m, np.full(m, 1 / m), EFFECT_RESAMPLES)
    return np.asarray(((left @ wins) * right).sum(axis=1) / (n * m))
