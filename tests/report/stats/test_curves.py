from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_equal

from metaopt.report.stats.curves import band, regret, step_values, without_noise


@pytest.mark.parametrize(("error", "optimum"), [(0.1 + 0.2, 0.3), (0.3, 0.1 + 0.2), ((0.2 + 0.1 + 0.7) / 3, 1 / 3)])
def test_noise_of_a_sum_is_no_regret(error: float, optimum: float) -> None:
    assert (str(regret(error, optimum)), regret(error, None)) == ("0.0", pytest.approx(error))


def test_equal_values_are_equal_and_others_are_not() -> None:
    nan, inf = math.nan, math.inf
    values = np.array([0.2, nan, 0.02065885 + 1e-9, inf, 0.0206590, 0.02065885 - 1e-9, -0.1, inf, nan])
    assert_equal(without_noise(values), [0.2, nan, 0.0206588, inf, 0.0206590, 0.0206588, -0.1, inf, nan])
    assert_equal(without_noise(np.array([nan, nan])), [nan, nan])
    assert without_noise(np.array([])).size == 0


def test_values_that_lie_close_all_the_way_are_not_all_equal() -> None:
    values = np.linspace(0.01, 0.0101, 20_000)
    assert_allclose(without_noise(values), values, rtol=0, atol=1.5e-7)
    assert len(np.unique(without_noise(values))) > 400


@given(st.lists(st.tuples(st.integers(0, 1791), st.integers(0, 10**6)), min_size=1, max_size=30))
def test_as_many_values_are_equal_as_numbers_of_images(errors: list[tuple[int, int]]) -> None:
    images, noise = np.array(errors).T
    found = without_noise(images / 1791 - 0.0134 + 4e-9 * (noise / 10**6 - 0.5))
    assert_equal(found[:, None] < found, images[:, None] < images)
    assert_allclose(found, images / 1791 - 0.0134, atol=6e-8)


def test_step_values_hold_the_last_value() -> None:
    got = step_values(np.array([1.0, 2.0, 4.0]), np.array([9.0, 5.0, 3.0]), np.array([0.5, 1.0, 3.9, 4.0, 8.0]))
    assert_allclose(got, [np.nan, 9, 5, 3, 3])


def test_a_band_ends_with_the_shortest_curve_and_begins_with_the_last_to_begin() -> None:
    curves = [
        (np.array([1.0, 2.0, 3.0]), np.array([4.0, 3.0, 1.0])),
        (np.array([1.0, 2.0]), np.array([np.nan, 2.0])),
        (np.array([1.0, 2.0, 3.0]), np.array([8.0, 7.0, 0.0])),
    ]
    found = band(curves)
    assert found is not None
    assert_allclose(found.grid, [2.0])
    assert_allclose([found.mean[0], found.median[0], found.low[0], found.high[0]], [4.0, 3.0, 2.5, 5.0])


@pytest.mark.parametrize("curves", [[], [(np.array([]), np.array([]))], [(np.array([1.0]), np.array([np.nan]))]])
def test_no_band_where_nothing_is_shared(curves: list[tuple[np.ndarray, np.ndarray]]) -> None:
    assert band(curves) is None
