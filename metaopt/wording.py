"""Words of the texts that commands and reports have in common."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

_LONGEST = 300


class _Shown(Repr):
    """As Python's, but that any whole number can be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict, self.maxtuple = 4, 20, 20, 20
        self.maxstring = self.maxother = self.maxlong = 200

    def repr_int(self, x: int, level: int) -> str:
        """Returns a whole number, which Python refuses to write if it has thousands of digits."""
        return super().repr_int(x, level) if x.bit_length() < 1000 else f"a number of {x.bit_length()} bits"


def counted(number: int, noun: str) -> str:
    """Returns a number with what it counts: ``1 epoch``, ``2 epochs``.

    Args:
        number: How many.
        noun: Singular of what takes an s in the plural.
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shown(value: Any) -> str:
    """Returns a value for a message: as ``repr`` has it, but never long, however large or deep the value is."""
    text = _Shown().repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
