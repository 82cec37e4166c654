"""Words of the texts that commands and reports have in common."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePath
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


def command(*words: object) -> str:
    """Returns a command of metaopt, to be pasted into a shell: whatever stands in a word, it arrives as that word.

    Args:
        words: What follows ``metaopt``: a path that begins with a hyphen comes with ``./`` before it, as it would be
            an option otherwise.
    """
    return " ".join(("metaopt", *map(_quoted, words)))


def _quoted(word: object) -> str:
    text = str(word)
    if isinstance(word, PurePath) and text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    # A terminal would act on it, or break the line: spelled out as bash, zsh and ksh read it.
    spelled = (chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in os.fsencode(text))
    return f"$'{''.join(spelled)}'"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Returns a number with what it counts: ``1 epoch``, ``2 epochs``.

    Args:
        number: How many.
        noun: Singular.
        plural: If it is not the singular with an s.
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def listed(numbers: Iterable[int], noun: str) -> str:
    """Returns numbers with what they count: ``no epochs``, ``1 epoch``, ``1, 2, 4 epochs``.

    Args:
        numbers: In the order of the list.
        noun: Singular of what takes an s in the plural.
    """
    text = ", ".join(map(str, numbers)) or "no"
    return f"{text} {noun}{'' if text == '1' else 's'}"


def shown(value: Any) -> str:
    """Returns a value for a message: as ``repr`` has it, but never long, however large or deep the value is."""
    text = _Shown().repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def differences(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Returns which values of ``wanted`` are others in ``kept``, such as ``budget 5 and not 3``."""
    return [
        f"{name} {shown(kept.get(name))} and not {shown(value)}"
        for name, value in wanted.items()
        if kept.get(name) != value
    ]
