"""Flags for the fields of settings: added to a parser, and read back as values of their types."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable
from dataclasses import Field, fields
from typing import Any

from metaopt.core.errors import ConfigError
from metaopt.core.wording import shown
from metaopt.settings.field import MOST, MOST_SEED, convert, flag, number


def add_flags(parser: ArgumentParser, settings: Iterable[Field[Any]]) -> None:
    """Adds a flag for every field that has a help text; what is not given on the command line is None."""
    for of in settings:
        if "help" not in of.metadata:
            continue
        shown = f" [{of.default}]" if isinstance(of.default, (str, int, float)) else ""
        parser.add_argument(
            flag(of),
            dest=of.name,
            # Only mappings have a factory: an option of theirs is one of many.
            action="store" if callable(of.default_factory) is False else "append",
            metavar=of.name.upper(),
            help=of.metadata["help"] + shown,
        )


def whole(text: str) -> int:
    """Returns the text of a flag as a whole number that is not endless.

    Raises:
        ArgumentTypeError: if it is none.
    """
    return _whole(text, MOST)


def seed(text: str) -> int:
    """Returns the text of a flag as a seed.

    Raises:
        ArgumentTypeError: if it is none.
    """
    return _whole(text, MOST_SEED)


def _whole(text: str, most: int) -> int:
    try:
        value: int = number(int, text)
    except ValueError:
        raise ArgumentTypeError(f"it must be a whole number, got {shown(text)}") from None
    if abs(value) > most:
        raise ArgumentTypeError(f"it is {shown(value)}; allowed: at most {most}")
    return value


def given(arguments: Namespace, kind: type[Any]) -> dict[str, Any]:
    """Returns the values of those fields of the dataclass ``kind`` that are on the command line.

    Raises:
        ConfigError: if one is not of its field's type.
    """
    values = {}
    for of in fields(kind):
        text = getattr(arguments, of.name, None) if "help" in of.metadata else None
        if text is not None:
            try:
                values[of.name] = convert(text, kind, of.name)
            except ValueError as error:
                raise ConfigError(f"{flag(of)} must be {error}, got {shown(text)}", f"change {flag(of)}") from None
    return values
