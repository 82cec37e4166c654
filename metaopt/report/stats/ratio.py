"""Default against tuned, and one-shot error against table error: estimates with intervals, never a bare number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from scipy import stats

from metaopt.report.stats.curves import DECIMALS

LEVEL = 0.95
_MOST_SPLITS = 200_000  # of an exact test: a side of 10 against one of 10

Verdict = Literal["better", "worse", "inconclusive"]


@dataclass(frozen=True)
class Ratio:
    """Ratio of two means with its 95 % interval.

    Attributes:
        value: Mean of the default over the mean of the tuned one: above 1, tuning helped. None if it has no meaning
            because a mean is not positive.
        low: Lower end of the interval; None if the repeats allow no interval.
        high: Upper end; infinite if the data do not bound it; None with ``low``.
        p_value: Exact two-sided permutation test of equal distributions; None if a side is empty or both are
            large.
        smallest_p: The smallest value the test can take with so many repeats; None with ``p_value``.
        why_no_interval: Why ``low`` is None; empty otherwise.
    """

    value: float | None
    low: float | None
    high: float | None
    p_value: float | None
    smallest_p: float | None
    why_no_interval: str = ""

    @property
    def verdict(self) -> Verdict:
        """Says more than ``inconclusive`` only if the interval leaves out 1."""
        if self.low is None or self.high is None or self.low <= 1 <= self.high:
            return "inconclusive"
        return "better" if self.low > 1 else "worse"


@dataclass(frozen=True)
class RankCorrelation:
    """Rank correlation of n pairs.

    Attributes:
        n: Number of pairs.
        spearman: Spearman's rho; None if there are fewer than 3 pairs or a side is constant.
        kendall: Kendall's tau-b; None likewise.
        low: Lower end of the 95 % interval of rho; None if there are fewer than 4 pairs.
        high: Upper end; None likewise.
    """

    n: int
    spearman: float | None = None
    kendall: float | None = None
    low: float | None = None
    high: float | None = None


def regret_ratio(default: Sequence[float], tuned: Sequence[float]) -> Ratio:
    """Compares repeats of the default with repeats of the tuned configuration.

    The interval is Fieller's (Fieller 1954, "Some problems in interval estimation", section 2), which is exact for
    normal errors and, unlike a bootstrap of three values, does not pretend to know the tails. Variances may differ;
    the degrees of freedom are the smaller sample's, which errs on the wide side. Ratios below 0 are left out.

    Args:
        default: Regrets (or errors) of the default's repeats.
        tuned: Those of the tuned configuration's repeats.
    """
    p_value, smallest_p = _permutation_test(default, tuned)
    if not default or not tuned:
        return Ratio(None, None, None, p_value, smallest_p, "a side has no finished repeat")
    mean_d, mean_t = float(np.mean(default)), float(np.mean(tuned))
    if mean_d <= 0 or mean_t <= 0:
        return Ratio(None, None, None, p_value, smallest_p, "a mean regret of zero has no ratio")
    value = mean_d / mean_t
    n = min(len(default), len(tuned))
    if n < 2:
        return Ratio(value, None, None, p_value, smallest_p, "a single repeat shows no spread")
    var_d, var_t = (float(np.var(x, ddof=1)) / len(x) for x in (default, tuned))
    if var_d + var_t < 1e-18:
        return Ratio(value, None, None, p_value, smallest_p, "all repeats of a side are equal: no spread to judge by")
    low, high = _fieller(mean_d, var_d, mean_t, var_t, float(stats.t.ppf((1 + LEVEL) / 2, n - 1)))
    return Ratio(value, low, high, p_value, smallest_p)


def _fieller(mean_d: float, var_d: float, mean_t: float, var_t: float, t: float) -> tuple[float, float]:
    """Solves (mean_d - r mean_t)^2 <= t^2 (var_d + r^2 var_t) for r >= 0; variances are those of the means."""
    a = mean_t**2 - t**2 * var_t
    b = mean_d * mean_t
    c = mean_d**2 - t**2 * var_d
    discriminant = b * b - a * c
    if discriminant < 0:
        return 0.0, math.inf
    root = b + math.sqrt(discriminant)
    return max(0.0, c / root), root / a if a > 0 else math.inf


def _permutation_test(a: Sequence[float], b: Sequence[float]) -> tuple[float | None, float | None]:
    """Exact two-sided test on the difference of means, over all ways to split the pooled values."""
    splits = math.comb(len(a) + len(b), len(a))
    if not a or not b or splits > _MOST_SPLITS:
        return None, None
    pooled = np.array([*a, *b], dtype=float)
    smallest = min(1.0, (2 if len(a) == len(b) else 1) / splits)
    sums = np.array([pooled[list(chosen)].sum() for chosen in combinations(range(len(pooled)), len(a))])
    distance = np.abs(sums / len(a) - (pooled.sum() - sums) / len(b))
    observed = abs(float(np.mean(a)) - float(np.mean(b)))
    return float(np.mean(distance >= observed - 10**-DECIMALS)), smallest


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> RankCorrelation:
    """Returns the rank correlations of the pairs that have both values.

    The interval of rho is Bonett and Wright's (2000, "Sample size requirements for estimating Pearson, Kendall and
    Spearman correlations", eq. 2 with variance (1 + rho^2 / 2) / (n - 3)), on Fisher's scale.
    """
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
    n = len(pairs)
    if n < 3 or len({a for a, _ in pairs}) == 1 or len({b for _, b in pairs}) == 1:
        return RankCorrelation(n)
    left, right = zip(*pairs, strict=True)
    rho = float(stats.spearmanr(left, right).statistic)
    tau = float(stats.kendalltau(left, right).statistic)
    if n < 4 or abs(rho) > 1 - 1e-12:
        return RankCorrelation(n, rho, tau)
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return RankCorrelation(n, rho, tau, math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half))
