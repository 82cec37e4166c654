"""Words of the texts that commands and reports have in common."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Returns a number with what it counts: ``1 epoch``, ``2 epochs``.

    Args:
        number: How many.
        noun: Singular of what takes an s in the plural.
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, most: int = 80) -> str:
    """Returns a text in quotes with its control characters spelled out, and the middle of a long one left out.

    Args:
        text: Any.
        most: Characters of it to keep.
    """
    if len(text) <= most:
        return repr(text)
    half = most // 2
    return f"{text[:half]!r}...{text[-half:]!r} ({len(text)} characters)"
