from __future__ import annotations

import math

import numpy as np
import pytest

from metaopt.report.stats.ratio import rank_correlation, regret_ratio


def test_the_ratio_and_its_interval_by_hand() -> None:
    # t(0.975, 2) = 4.302653; variances of the means 1/3 each, so t^2 v = 6.170939.
    # a = 2^2 - 6.170939 < 0: no upper bound. c = 25 - 6.170939, b = 10: low = c / (b + sqrt(b^2 - a c)).
    found = regret_ratio([4, 5, 6], [1, 2, 3])
    assert found.value == 2.5
    assert found.low == pytest.approx(0.86098, abs=1e-5)
    assert found.high == math.inf
    assert found.verdict == "inconclusive"


def test_the_ends_of_the_interval_solve_fiellers_equation() -> None:
    default, tuned = [0.050, 0.052, 0.047, 0.051], [0.020, 0.027, 0.016, 0.021]
    found = regret_ratio(default, tuned)
    for end in (found.low, found.high):
        assert end is not None
        spread = np.var(default, ddof=1) / 4 + end**2 * np.var(tuned, ddof=1) / 4
        assert abs(np.mean(default) - end * np.mean(tuned)) / math.sqrt(spread) == pytest.approx(3.182446, rel=1e-5)
    assert found.verdict == "better"
    assert regret_ratio(tuned, default).verdict == "worse"


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    draws = [regret_ratio(rng.normal(2.0, 0.2, 3).tolist(), rng.normal(1.0, 0.2, 3).tolist()) for _ in range(1500)]
    inside = [d.low is not None and d.high is not None and d.low <= 2.0 <= d.high for d in draws]
    assert 0.94 <= np.mean(inside) <= 0.995


def test_the_permutation_test_counts_all_splits() -> None:
    found = regret_ratio([4, 5, 6], [1, 2, 3])
    assert (found.p_value, found.smallest_p) == (0.1, 0.1)
    assert regret_ratio([1, 2, 3], [1, 2, 3]).p_value == 1.0
    assert regret_ratio(range(1, 21), range(1, 21)).p_value is None


def test_splits_that_differ_by_the_noise_of_single_precision_are_as_far_apart_as_what_was_seen() -> None:
    images = np.array([7, 20, 17, 1, 10, 21, 14, 1, 19, 18])
    regrets = (images / 1791).astype(np.float32).astype(float)
    found, want = (regret_ratio(values[:5], values[5:]).p_value for values in (regrets.tolist(), images.tolist()))
    assert found == want


@pytest.mark.parametrize(
    ("default", "tuned", "value", "why"),
    [
        ([], [0.1], None, "no finished repeat"),
        ([0.2, 0.2], [0.1, 0.1], 2.0, "no spread"),
        ([0.2], [0.1], 2.0, "single repeat"),
        ([0.2, 0.1], [0.0, 0.0], None, "zero"),
    ],
)
def test_where_there_is_no_interval_it_says_why(
    default: list[float], tuned: list[float], value: float | None, why: str
) -> None:
    found = regret_ratio(default, tuned)
    assert found.value == value
    assert (found.low, found.verdict) == (None, "inconclusive")
    assert why in found.why_no_interval


def test_rank_correlations_by_hand() -> None:
    # Ranks 1 2 3 4 5 against 2 1 4 3 5: sum d^2 = 4, rho = 1 - 24/120; 8 pairs in order, 2 not: tau = 6/10.
    found = rank_correlation([1, 2, 3, 4, 5], [20, 10, 40, 30, 50])
    assert found.n == 5
    assert found.spearman == pytest.approx(0.8)
    assert found.kendall == pytest.approx(0.6)
    half = 1.959964 * math.sqrt((1 + 0.32) / 2)
    assert found.low == pytest.approx(math.tanh(math.atanh(0.8) - half), abs=1e-6)
    assert found.high == pytest.approx(math.tanh(math.atanh(0.8) + half), abs=1e-6)


def test_pairs_without_both_values_do_not_count() -> None:
    assert rank_correlation([1, 2, math.nan, 4], [1, 2, 3, math.nan]).n == 2


@pytest.mark.parametrize(("x", "y"), [([1, 2], [1, 2]), ([1, 1, 1, 1], [1, 2, 3, 4]), ([], [])])
def test_too_little_gives_no_correlation(x: list[float], y: list[float]) -> None:
    found = rank_correlation(x, y)
    assert (found.n, found.spearman, found.kendall, found.low) == (len(x), None, None, None)


def test_a_perfect_order_has_no_interval() -> None:
    found = rank_correlation([1, 2, 3, 4], [1, 2, 3, 5])
    assert found.spearman == pytest.approx(1.0)
    assert found.low is None
