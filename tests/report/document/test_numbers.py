from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaopt.report.document.numbers import significant, steady, written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.333333"),
        (np.float64(2 / 3), "0.666667"),
        (5.0, "5"),
        (-0.0, "0"),
        (12345678.0, "12345678"),
        (12345678.25, "1.23457e+07"),
        (123456.25, "1.23456e+05"),
        (1e-12, "1e-12"),
        (0.99999999, "1"),
        (9999999.9, "1.00000e+07"),
        (1.23456789e-9, "1.23457e-09"),
        (math.inf, "inf"),
        (math.nan, ""),
        (None, ""),
        (7, "7"),
        (123456789, "123456789"),
        (True, "True"),
        ("0.123456789", "0.123456789"),
    ],
)
def test_six_digits_and_whole_numbers_whole(value: object, text: str) -> None:
    assert written(value) == text


@given(st.integers(-(10**7), 10**7), st.integers(1, 9), st.integers(-3, 3))
def test_the_last_bits_decide_nothing(number: int, decimals: int, ulps: int) -> None:
    value = number / 10**decimals
    other = value + ulps * math.ulp(value) if value else value
    assert written(value) == written(other)
    assert significant(value) == significant(other)
    assert f"{steady(value):.4f}" == f"{steady(other):.4f}"


def test_a_number_that_has_no_more_digits_stays_as_it_is() -> None:
    assert (significant(0.25), significant(1 / 3), steady(0.0343)) == (0.25, 0.333333, 0.0343)
