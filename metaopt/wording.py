"""Words of the texts that commands and reports have in common."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Returns a number with what it counts: ``1 epoch``, ``2 epochs``.

    Args:
        number: How many.
        noun: Singular of what takes an s in the plural.
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
