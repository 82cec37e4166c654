"""How derived numbers are written: with as many digits as mean something, so that every processor writes the same.

Sums of floating-point numbers differ in their last digits from processor to processor, by the order in which vector
units add. Six digits are more than any benchmark resolves, and far from those.
"""

from __future__ import annotations

import math

DIGITS = 6
_STEADY = 12  # digits that do not depend on the order of a sum


def significant(value: float) -> float:
    """Returns a number with :data:`DIGITS` significant digits."""
    return float(f"{steady(value):.{DIGITS}g}")


def steady(value: float) -> float:
    """Returns a number without its last digits: rounded further it comes out the same on every processor.

    Where a number lies in the middle between two rounded ones, its last digits decide which of them it becomes.
    """
    return float(f"{value:.{_STEADY}g}")


def decimals(value: float, places: int) -> str:
    """Returns a number for reading, with so many decimals."""
    return f"{steady(value):.{places}f}"


def written(value: object) -> str:
    """Returns a value as text for a file: numbers with six significant digits, but whole ones whole; nothing for NaN.

    Of the other numbers none with all its digits before the point looks whole: 1,234,567.8 is ``1.23457e+06``.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if not isinstance(value, float) or math.isinf(value):
        return str(value)
    value = steady(value)
    if value.is_integer():
        return f"{value:.0f}" if value else "0"
    text = f"{value:.{DIGITS}g}"
    return text if "." in text or abs(value) < 10 ** (DIGITS - 1) else f"{value:.{DIGITS - 1}e}"
