from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from metaopt.report.stats.bootstrap import (
    effect_interval,
    mean_band,
    mean_interval,
    median_band,
    stratified_interval,
)

RNG = np.random.default_rng(0)
SKEWED = RNG.exponential(1.0, size=(40, 3))


def reference(values: np.ndarray, statistic: object, n: int = 20_000) -> np.ndarray:
    found = stats.bootstrap((values,), statistic, n_resamples=n, method="percentile", rng=np.random.default_rng(1))
    return np.array(found.confidence_interval)


def test_the_bands_are_those_of_scipy() -> None:
    # Two percentiles of 1000 resamples: their own error is a twentieth of the interval's width.
    for band, statistic in ((mean_band, np.mean), (median_band, np.median)):
        low, high = band(SKEWED)
        for place in range(3):
            want = reference(SKEWED[:, place], statistic)
            assert_allclose([low[place], high[place]], want, atol=0.12 * float(np.ptp(want)))


def test_a_band_of_an_even_number_of_runs_takes_the_middle_of_two() -> None:
    low, high = median_band(np.array([[0.0], [1.0], [1.0], [2.0]]))
    assert 0 <= low[0] <= 1 <= high[0] <= 2


def test_bands_are_the_same_every_time_and_for_any_order_of_runs() -> None:
    assert_allclose(median_band(SKEWED), median_band(SKEWED[::-1]), atol=0)
    for first, again in zip(mean_band(SKEWED), mean_band(SKEWED), strict=True):
        assert_allclose(first, again, atol=0)


def test_the_interval_of_a_mean_is_scipy_s_bca() -> None:
    found = mean_interval(SKEWED[:, 0])
    assert found is not None
    want = stats.bootstrap((SKEWED[:, 0],), np.mean, n_resamples=50_000, method="BCa", rng=np.random.default_rng(3))
    assert_allclose(found, want.confidence_interval, rtol=0.03)
    assert found[0] < SKEWED[:, 0].mean() < found[1]
    percentile = reference(SKEWED[:, 0], np.mean)
    assert found[1] > percentile[1], "a skewed sample moves the accelerated interval to its tail"


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
def test_no_interval_where_there_is_nothing_to_draw_from(values: list[float]) -> None:
    assert mean_interval(np.array(values)) is None


def test_the_interval_of_an_effect() -> None:
    sure, even = np.ones((5, 6)), np.full((5, 6), 0.5)
    assert effect_interval(sure) == (1.0, 1.0)
    assert effect_interval(even) == (0.5, 0.5)
    assert effect_interval(np.ones((4, 6))) is None
    wins = (RNG.normal(size=(20, 1)) < RNG.normal(0.5, 1, size=(1, 20))).astype(float)
    low, high = effect_interval(wins) or (0, 0)
    assert low < wins.mean() < high
    narrower = stratified_interval([wins, wins, wins])
    assert narrower is not None
    assert narrower[1] - narrower[0] < high - low
    assert stratified_interval([wins, np.ones((2, 2))]) is None


@given(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=12))
def test_a_band_holds_nothing_but_what_the_runs_had(values: list[float]) -> None:
    column = np.array(values)[:, None]
    for low, high in (mean_band(column), median_band(column)):
        assert min(values) - 1e-9 <= low[0] <= high[0] <= max(values) + 1e-9
