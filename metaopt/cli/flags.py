"""Flags for the fields of settings: added to a parser, and read back as values of their types."""

from __future__ import annotations

from argparse import SUPPRESS, Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field
from typing import Any

from metaopt.core.errors import ConfigError, flag
from metaopt.core.notes import renamed
from metaopt.core.wording import shown
from metaopt.settings.field import MOST, MOST_SEED, convert, number, settings_of, types_of


def add_flags(
    parser: ArgumentParser,
    settings: Iterable[Field[Any]],
    names: Mapping[str, Iterable[str]] | None = None,
    checks: Mapping[str, Callable[[str], str]] | None = None,
) -> None:
    """Adds a flag for every field that has a help text; what is not given on the command line is None.

    Args:
        parser: What takes the flags, those of a group under its heading.
        settings: Fields; others are left out.
        names: What a setting may be whose field does not list it, for the help.
        checks: Functions that refuse a misspelt value at once.
    """
    fields = [field for field in settings if field.metadata.get("help")]
    flags = {flag(field.name) for field in fields}
    former = {old: field for field in fields for old in map(_as_flag, field.metadata["formerly"])}
    groups = {title: parser.add_argument_group(title) for title in dict.fromkeys(_group(field) for field in fields)}
    for field in fields:
        name = flag(field.name)
        # A former name that means another setting now still means the former one where it has a number.
        kind = {"action": _moved(former[name])} if name in former else _kind(field)
        if checks and field.name in checks:
            kind = {**kind, "type": checks[field.name]}
        groups[_group(field)].add_argument(
            name, dest=field.name, metavar=_metavar(field), help=_help(field, names or {}), **kind
        )
    for old, field in former.items():
        if old not in flags:
            add_former(parser, old, field.name, many=_is_mapping(field))


def _as_flag(name: str) -> str:
    return name if name.startswith("-") else flag(name)


def _group(field: Field[Any]) -> str:
    return str(field.metadata["group"] or "options")


def _is_mapping(field: Field[Any]) -> bool:
    return field.default_factory is not MISSING


def _kind(field: Field[Any]) -> dict[str, Any]:
    return {"action": "extend", "nargs": "+"} if _is_mapping(field) else {}


def _metavar(field: Field[Any]) -> str:
    if choices := field.metadata["choices"]:
        return f"{{{','.join(map(str, choices))}}}"
    return "NAME=VALUE" if _is_mapping(field) else field.name.upper()


def _help(field: Field[Any], names: Mapping[str, Iterable[str]]) -> str:
    text = field.metadata["help"]
    if field.name in names:
        text += f": {', '.join(names[field.name])}"
    if field.default is MISSING and not _is_mapping(field):
        return f"{text} (required)"
    default = field.metadata["otherwise"] if field.default in (None, MISSING) else field.default
    return (f"{text} (default: {default})" if default != "" else text).replace("%", "%%")


def add_former(parser: ArgumentParser, old: str, name: str, *, many: bool = False, **options: Any) -> None:
    """Adds the former flag of a setting, which works and says how it is called now.

    Args:
        parser: What takes the flag.
        old: The former flag.
        name: The setting.
        many: Whether every use of the flag adds a value.
        options: As of :meth:`argparse.ArgumentParser.add_argument`.
    """

    class Former(Action):
        def __call__(self, parser: Any, namespace: Namespace, values: Any, option: str | None = None) -> None:
            renamed(str(option), flag(name))
            setattr(namespace, name, [*(getattr(namespace, name, None) or []), values] if many else values)

    parser.add_argument(old, dest=name, help=SUPPRESS, default=SUPPRESS, action=Former, **options)


def _moved(field: Field[Any]) -> type[Action]:
    """Returns the action of a flag that was ``field``'s, and still is with a number."""

    class Moved(Action):
        def __call__(self, parser: Any, namespace: Namespace, values: Any, option: str | None = None) -> None:
            if not values.isdigit():
                setattr(namespace, self.dest, values)
                return
            renamed(f"{option} {values}", f"{flag(field.name)} {values}")
            setattr(namespace, field.name, values)

    return Moved


def whole(text: str) -> int:
    """Returns the text of a flag as a whole number that is not endless.

    Raises:
        ArgumentTypeError: if it is not a whole number.
    """
    return _whole(text, MOST)


def seed(text: str) -> int:
    """Returns the text of a flag as a seed.

    Raises:
        ArgumentTypeError: if it is not a seed.
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
    for field in settings_of(kind):
        text = getattr(arguments, field.name, None)
        if text is not None:
            try:
                values[field.name] = convert(text, types_of(kind)[field.name])
            except ValueError as error:
                name = flag(field.name)
                raise ConfigError(f"{name} must be {error}, got {shown(text)}", f"change {name}") from None
    return values
