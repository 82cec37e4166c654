"""What the test errors of a study are called: regret where the lowest error there is is known, else what they are."""

from __future__ import annotations

from collections.abc import Sequence

Optima = Sequence[float | None]


def regret_name(optima: Optima) -> str:
    """Returns what is shown.

    Args:
        optima: Lowest test error there is, of each thing that is shown; None where it is unknown.
    """
    return "test error" if optima and all(optimum is None for optimum in optima) else "test regret"


def regret_column(optima: Optima) -> str:
    """Returns the same as part of a column's name; the argument is that of :func:`regret_name`."""
    return regret_name(optima).removeprefix("test ")


def regret_note(optima: Optima) -> str:
    """Returns what that means, without a full stop; the argument is that of :func:`regret_name`."""
    if regret_name(optima) == "test error":
        return "Test error: of the cell found; the lowest of any cell is unknown, and with it the regret"
    text = "Test regret: test error of the cell found minus the lowest test error of any cell in the table"
    return f"{text}, or the test error itself where that is unknown" if None in optima else text
