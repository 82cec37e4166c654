"""Settings as fields of dataclasses: what they mean, what they may be, text as their values, and one check of all."""

from __future__ import annotations

import dataclasses
import math
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from metaopt.core.errors import ConfigError, nearest
from metaopt.core.notes import renamed
from metaopt.core.wording import shown

#: Largest whole number of a setting that has no other limit, and the largest seed.
MOST, MOST_SEED = 10**9, 2**63 - 1

#: The types of the fields of a dataclass by their names, also of those that are written as text.
types_of: Callable[[Any], Mapping[str, Any]] = cache(get_type_hints)

_NUMBER = re.compile(r"\s*[-+]?([0-9.]+(e[-+]?[0-9]+)?|inf|nan)\s*", re.IGNORECASE | re.ASCII)
_LONGEST_NUMBER = 100  # characters
_TRUTH = {"true": True, "false": False}
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", types.NoneType: "none"}
_FORMS = {Mapping: "name=value pairs", Sequence: "a list", tuple: "a list"}


def field(
    default: Any,
    help: str = "",
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    choices: Iterable[Any] = (),
    otherwise: str = "",
    group: str = "",
    formerly: Iterable[str] = (),
) -> Any:
    """Returns the field of a setting.

    Args:
        default: As of :func:`dataclasses.field`; a dict is copied for every instance.
        help: Noun phrase, for the flag and the documentation; only fields that have one can be set from outside.
        ge: Smallest value of a number.
        gt: What a number must be above.
        le: Largest value of a number; None: :data:`MOST` of a whole one.
        choices: All values there are; empty: no list.
        otherwise: What the default None stands for.
        group: Heading of the flag in the help of a command.
        formerly: Earlier names, still accepted: a flag alone where it begins with hyphens, else also as a key.
    """
    metadata = {
        "help": help, "ge": ge, "gt": gt, "le": le, "choices": tuple(choices), "otherwise": otherwise, "group": group,
        "formerly": tuple(formerly),
    }  # fmt: skip
    if default == {}:
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(kind: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    """Returns the fields of a dataclass that can be set from outside."""
    return tuple(field for field in dataclasses.fields(kind) if field.metadata.get("help"))


def modern(
    given: Mapping[Any, Any], settings: Iterable[dataclasses.Field[Any]], where: str, key: Callable[[str], str] = str
) -> dict[Any, Any]:
    """Returns what is given under the present names of settings, and says on standard error which were earlier ones.

    Args:
        given: Values by the names of settings; others stay as they are.
        settings: All there are.
        where: The source, such as a file.
        key: Name of a setting to how it is written there.
    """
    names = {key(old): key(field.name) for field in settings for old in field.metadata["formerly"] if old[0] != "-"}
    names = {old: new for old, new in names.items() if old in given and new not in given}
    for old, new in names.items():
        renamed(old, new, f" in {where}")
    return {names.get(name, name): value for name, value in given.items()}


def check(settings: Any) -> Iterator[ConfigError]:
    """Yields what is wrong with single values of ``settings``, a dataclass whose fields are :func:`field`."""
    hints = types_of(type(settings))
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        try:
            convert(value, hints[field.name], parse=False)
            if value is not None:
                _check_range(value, field.metadata)
        except ValueError as error:
            near = nearest(value, field.metadata.get("choices", ())) if isinstance(value, str) else ""
            guess = f"; did you mean {near!r}?" if near else ""
            text = f"{field.name} must be {error}, got {shown(value)}{guess}"
            yield ConfigError(text, f"change {{--{field.name}}}")


def _check_range(value: Any, limits: Mapping[str, Any]) -> None:
    """Raises ValueError with what a value must be, if it is not; what is not a number is in no range."""
    if choices := limits.get("choices"):
        if value not in choices:
            *first, last = map(str, choices)
            raise ValueError(f"{', '.join(first)} or {last}" if first else last)
        return
    if (text := allowed(limits)) is None:
        return
    ge, gt, le = limits["ge"], limits["gt"], limits["le"]
    if not (value >= ge if gt is None else value > gt) or not (le is None or value <= le):
        raise ValueError(text)
    if type(value) is int and value > MOST and le is None:
        raise ValueError(f"at most {MOST}")


def allowed(limits: Mapping[str, Any]) -> str | None:
    """Returns the range of a number, as the metadata of its field have it; None if there is none."""
    ge, gt, le = limits.get("ge"), limits.get("gt"), limits.get("le")
    if ge is not None:
        return f"at least {ge}" if le is None else f"in [{ge}, {le}]"
    if gt is not None:
        return f"more than {gt}" if le is None else f"more than {gt} and at most {le}"
    return None


def number(kind: type[Any], text: str) -> Any:
    """Returns a text as a number as everybody writes it: what else Python takes, ``1_0`` or other digits, is refused.

    Args:
        kind: int or float.
        text: From a flag or the environment.

    Raises:
        ValueError: if it is not a number.
    """
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise ValueError
    return kind(text)


def convert(value: Any, annotation: Any, *, parse: bool = True) -> Any:
    """Returns a value as the type of a setting.

    Args:
        value: From a file, or text from a flag or the environment: a list is ``a,b`` or ``[a,b]``.
        annotation: The type, such as ``int | None``.
        parse: Whether text may stand for something else.

    Raises:
        ValueError: with what it must be, such as "a whole number or none".
    """
    is_union = get_origin(annotation) in (Union, types.UnionType)
    kinds = get_args(annotation) if is_union else (annotation,)
    for kind in sorted(kinds, key=lambda kind: kind is not types.NoneType):  # "none" could be text and a list, too
        try:
            return _FROM.get(get_origin(kind), _plain)(value, kind, parse)
        except (ValueError, KeyError, TypeError):
            continue
    raise ValueError(" or ".join(described(kind) for kind in kinds))


def described(kind: Any) -> str:
    """Returns what values of a type are called, such as "a whole number"."""
    return _KINDS.get(kind) or _FORMS.get(get_origin(kind), "anything")


def _plain(value: Any, kind: Any, parse: bool) -> Any:
    if kind is Any:
        return value
    if parse and isinstance(value, str) and kind is not str:
        value = {"none": None}[value] if kind is types.NoneType else _parsed(value, kind)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise TypeError
    return value


def _parsed(text: str, kind: Any) -> Any:
    return _TRUTH[text.lower()] if kind is bool else number(kind, text)


def _pairs(value: Any, kind: Any, parse: bool) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {str(name): option for name, option in value.items()}
    texts = value.split(",") if isinstance(value, str) else value
    if not parse or not isinstance(texts, list) or not all(isinstance(text, str) and "=" in text for text in texts):
        raise TypeError
    return dict(text.split("=", 1) for text in texts)


def _list(value: Any, kind: Any, parse: bool) -> list[Any]:
    if parse and isinstance(value, str):
        bare = value.strip().removeprefix("[").removesuffix("]")
        value = [item.strip().strip("'\"") for item in bare.split(",")] if bare.strip() else []
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return list(value)


def _tuple(value: Any, kind: Any, parse: bool) -> tuple[Any, ...]:
    """Returns a list as a tuple; text is no list here, since what stands in it may hold commas."""
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return tuple(convert(item, get_args(kind)[0], parse=parse) for item in value)


_FROM: Mapping[Any, Callable[[Any, Any, bool], Any]] = {Mapping: _pairs, Sequence: _list, tuple: _tuple}
