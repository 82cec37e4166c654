from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from metaopt.report.stats.curves import DECIMALS
from metaopt.report.stats.pairwise import (
    holm,
    rank_sum,
    signed_rank,
    smallest_rank_sum,
    smallest_signed_rank,
    superiority,
    wins,
)

RNG = np.random.default_rng(7)
# Wilcoxon's own example of paired differences (Darwin's plants, in eighths of an inch): T = 24 of n = 15.
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
few = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, math.inf]), min_size=1, max_size=7)


def test_signed_rank_of_a_textbook_example() -> None:
    p_value, first_better = signed_rank(np.zeros(15), DARWIN)
    assert p_value == pytest.approx(stats.wilcoxon(DARWIN, method="exact").pvalue)
    assert p_value == pytest.approx(0.041, abs=5e-4)
    assert first_better


@pytest.mark.parametrize("n", [1, 5, 6, 20, 60])
def test_signed_rank_is_scipy_s_where_nothing_is_tied(n: int) -> None:
    a, b = RNG.normal(size=n), RNG.normal(0.3, 1, size=n)
    assert signed_rank(a, b)[0] == pytest.approx(stats.wilcoxon(a, b, method="exact").pvalue)


@given(few)
def test_signed_rank_with_ties_is_counted_over_all_signs(values: list[float]) -> None:
    a = np.array(values)
    b = np.roll(a, 1)
    with np.errstate(invalid="ignore"):
        difference = np.where(a == b, 0.0, (a - b).round(10))
    ranks = stats.rankdata(np.abs(difference)) * (difference != 0)
    seen = ranks[difference > 0].sum()
    sums = np.array(
        [sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign) for signs in product((0, 1), repeat=len(a))]
    )
    want = min(1.0, 2 * min((sums <= seen + 1e-9).mean(), (sums >= seen - 1e-9).mean()))
    assert signed_rank(a, b)[0] == pytest.approx(want)


def test_differences_that_are_equal_but_for_the_noise_of_a_float_are_tied() -> None:
    a, b = np.array([0.4, 0.4, 0.6]), np.array([0.3, 0.5, 0.4])
    assert abs(a - b)[0] != abs(a - b)[1], "the noise is there"
    assert signed_rank(a, b) == (pytest.approx(0.75), False), "0.5 if they were not"
    assert signed_rank(a[:2], b[:2])[0] == 1.0


@pytest.mark.parametrize("of", [1791, 10_000 * 15], ids=["digits", "five means over three seeds of a large test set"])
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12))
def test_rounded_regrets_give_the_p_of_the_whole_numbers_behind_them(of: int, images: list[tuple[int, int]]) -> None:
    a, b = np.array(images, dtype=float).T
    assert signed_rank((a / of).round(DECIMALS), (b / of).round(DECIMALS)) == signed_rank(a, b)


def test_several_runs_without_a_value_are_tied() -> None:
    a, b = np.array([0.1, math.inf, math.inf, 0.4]), np.array([math.inf, 0.2, 0.5, 0.3])
    assert signed_rank(a, b) == (pytest.approx(10 / 16), False), "7 of the ranks 1, 3, 3, 3; five of 16 signs give 7"


def test_rank_sum_of_a_textbook_example() -> None:
    # Ages at diagnosis of diabetes, males and females: scipy.stats.mannwhitneyu's own example.
    males, females = np.array([19, 22, 16, 29, 24.0]), np.array([20, 11, 17, 12.0])
    assert rank_sum(males, females) == pytest.approx(1 / 9)
    assert rank_sum(males, females) == pytest.approx(stats.mannwhitneyu(males, females, method="exact").pvalue)


@given(few, few)
def test_rank_sum_with_ties_is_counted_over_all_splits(a: list[float], b: list[float]) -> None:
    ranks = stats.rankdata([*a, *b])
    seen = ranks[: len(a)].sum()
    sums = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(len(ranks)), len(a))])
    want = min(1.0, 2 * min((sums <= seen + 1e-9).mean(), (sums >= seen - 1e-9).mean()))
    assert rank_sum(np.array(a), np.array(b)) == pytest.approx(want)


def test_many_runs_go_by_the_normal_distribution() -> None:
    a, b = RNG.normal(size=80).round(1), RNG.normal(0.4, 1, size=90).round(1)
    assert rank_sum(a, b) == pytest.approx(stats.mannwhitneyu(a, b, method="asymptotic").pvalue)
    near = rank_sum(a[:50], b[:50])
    assert near == pytest.approx(stats.mannwhitneyu(a[:50], b[:50], method="asymptotic").pvalue, rel=0.1)
    assert rank_sum(np.full(80, 0.1), np.full(80, 0.1)) == 1.0


@pytest.mark.parametrize("n", range(1, 9))
def test_the_smallest_p_is_what_the_clearest_difference_gives(n: int) -> None:
    low, high = np.arange(n, dtype=float), np.arange(n) + 100.0
    assert signed_rank(low, high) == (pytest.approx(smallest_signed_rank(n)), True)
    assert rank_sum(low, high) == pytest.approx(smallest_rank_sum(n, n))
    assert signed_rank(high, low)[1] is False


def test_equal_runs_are_no_difference() -> None:
    same = np.full(6, math.inf)
    assert signed_rank(same, same) == (1.0, False)
    assert rank_sum(same, same) == 1.0
    assert superiority(same, same) == 0.5


def test_a_run_without_a_value_loses() -> None:
    assert superiority(np.array([0.9]), np.array([math.inf])) == 1.0
    assert signed_rank(np.full(6, 0.9), np.full(6, math.inf)) == (pytest.approx(0.03125), True)


@settings(max_examples=20)  # statsmodels collects garbage each time
@given(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=0, max_size=9))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    want = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(want))


def test_superiority_of_vargha_and_delaney() -> None:
    # Lower is better: 7 of 9 comparisons are won, one is a tie.
    assert superiority(np.array([1.0, 2, 3]), np.array([2.0, 4, 5])) == pytest.approx(7.5 / 9)
    u = stats.mannwhitneyu([2.0, 4, 5], [1.0, 2, 3]).statistic
    assert superiority(np.array([1.0, 2, 3]), np.array([2.0, 4, 5])) == pytest.approx(u / 9)


@given(few, few)
def test_sides_can_be_changed(a: list[float], b: list[float]) -> None:
    x, y = np.array(a), np.array(b)
    assert superiority(x, y) == pytest.approx(1 - superiority(y, x))
    assert rank_sum(x, y) == pytest.approx(rank_sum(y, x))
    assert wins(x, y).shape == (len(a), len(b))
    assert superiority(x[::-1], y[::-1]) == pytest.approx(superiority(x, y)), "the order of runs changes nothing"
    assert rank_sum(x[::-1], y) == pytest.approx(rank_sum(x, y))
