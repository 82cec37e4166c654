"""Tests of two groups and what their difference is worth; lower is better, and a run without a value is infinitely bad.

Both tests are exact also with ties, which are common where several runs find the same cell: their distribution is
counted out over all signs or splits of the ranks that were seen, not taken from a table for distinct values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from metaopt.core.arrays import Floats
from metaopt.report.stats.curves import DECIMALS

#: Below this p (after correction) two groups are told apart.
ALPHA = 0.05
# Regrets are rounded, so differences of them that would be equal are up to two units of the last place apart.
_TIED = 2.5 * 10**-DECIMALS
_EXACT_RUNS = 100  # of both sides together: counting all splits takes 50 ms there, and the normal tail is close beyond


def signed_rank(a: Floats, b: Floats) -> tuple[float, bool]:
    """Returns the exact two-sided p of Wilcoxon's signed-rank test of pairs, and whether it is ``a`` that is better.

    Wilcoxon (1945), "Individual Comparisons by Ranking Methods"; pairs without a difference take part in the ranking
    and lose their ranks afterwards (Pratt 1959, "Remarks on Zeros and Ties in the Wilcoxon Signed Rank Procedures").

    Args:
        a: (n,) values of one side; infinite where there is none.
        b: (n,) values of the other, in the same order.
    """
    difference = _difference(a, b)
    levels = _levels(np.abs(difference))
    ranks = np.round(2 * stats.rankdata(levels)).astype(int)  # twice the mid-ranks are whole numbers
    ranks, positive = ranks[levels > 0], difference[levels > 0] > 0
    ways = np.ones(1)
    for rank in ranks:
        ways = (np.pad(ways, (0, rank)) + np.pad(ways, (rank, 0))) / 2
    seen = int(ranks[positive].sum())
    return _two_sided(ways, seen), bool(2 * seen < ranks.sum())


def _difference(a: Floats, b: Floats) -> Floats:
    """Returns ``a - b``, 0 where both are infinite."""
    equal = a == b
    a, b = (np.where(equal, 0.0, side) for side in (a, b))
    return np.asarray(a - b, dtype=np.float64)


def _levels(sizes: Floats) -> NDArray[np.int_]:
    """Returns (n,) which step of the ascending sizes each is on, those on one step being tied; 0 is no size at all."""
    order = np.argsort(sizes)
    with np.errstate(invalid="ignore"):  # infinite sizes are tied: their difference is not a number, and no step
        steps = np.diff(sizes[order], prepend=0.0) > _TIED
    levels = np.empty(len(sizes), dtype=int)
    levels[order] = np.cumsum(steps)
    return levels


def rank_sum(a: Floats, b: Floats) -> float:
    """Returns the two-sided p of the Mann-Whitney U test; exact up to 100 runs, beyond them by the normal distribution.

    Mann and Whitney (1947), "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other";
    the normal one corrects for ties and continuity, as :func:`scipy.stats.mannwhitneyu` has it.

    Args:
        a: (n,) values of one side; infinite where there is none.
        b: (m,) values of the other.
    """
    ranks = np.round(2 * stats.rankdata(np.concatenate([a, b]))).astype(int)
    if np.ptp(ranks) == 0:
        return 1.0
    if len(ranks) > _EXACT_RUNS:
        return float(stats.mannwhitneyu(ranks[: len(a)], ranks[len(a) :], method="asymptotic").pvalue)
    ways = np.zeros((len(a) + 1, int(ranks.sum()) + 1))  # share of ways to choose k runs whose ranks sum up to s
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    return _two_sided(ways[-1] / ways[-1].sum(), int(ranks[: len(a)].sum()))


def _two_sided(ways: Floats, seen: int) -> float:
    below, above = ways[: seen + 1].sum(), ways[seen:].sum()
    return float(min(1.0, 2 * min(below, above)))


def smallest_signed_rank(n: int) -> float:
    """Returns the smallest p that the signed-rank test can give for n pairs: all differences have one sign."""
    return min(1.0, 2.0 ** (1 - n))


def smallest_rank_sum(n: int, m: int) -> float:
    """Returns the smallest p that the rank-sum test can give for n and m runs: all of one side are better."""
    return min(1.0, 2 / math.comb(n + m, n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p values corrected for their number.

    Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for step, place in enumerate(order):
        largest = max(largest, (len(p_values) - step) * p_values[place])
        corrected[place] = min(1.0, largest)
    return corrected


def wins(a: Floats, b: Floats) -> Floats:
    """Returns (n, m) whether each run of ``a`` is better, i.e. lower, than each of ``b``: 1, 0.5 where equal, or 0."""
    return np.asarray((a[:, None] < b) + 0.5 * (a[:, None] == b), dtype=np.float64)


def superiority(a: Floats, b: Floats) -> float:
    """Returns the probability that a run of ``a`` is better than one of ``b``, a tie counting half.

    This is the A of Vargha and Delaney (2000), "A Critique and Improvement of the CL Common Language Effect Size
    Statistics of McGraw and Wong", and on a single problem also the probability of improvement of Agarwal et al.
    (2021), see :mod:`metaopt.report.sections.improvement`.
    """
    return float(wins(a, b).mean())
