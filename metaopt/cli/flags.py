"""Flags for the fields of settings: added to a parser, and read back as values of their types."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from dataclasses import Field, fields
from typing import Any

from metaopt.errors import ConfigError
from metaopt.setting import convert, flag
from metaopt.wording import shown


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
