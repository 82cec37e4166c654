from __future__ import annotations

import math

import pytest

from metaopt.report.document.section import NONE, number, times, value_text


@pytest.mark.parametrize(("value", "text"), [(0.05, "0.0500"), (None, NONE), (math.nan, NONE)])
def test_errors_have_four_decimals(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(2.345, "2.35×"), (None, NONE)])
def test_ratios_have_a_times_sign(value: float | None, text: str) -> None:
    assert times(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123456, "0.01235"), (True, "True"), (7, "7"), ("a", "a"), (None, NONE)]
)
def test_values_of_any_type_are_text(value: object, text: str) -> None:
    assert value_text(value) == text
