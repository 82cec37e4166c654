"""A tuner's options are its constructor's keyword-only arguments: its signature is their schema."""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Mapping, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.wording import shown
from metaopt.settings.field import number
from metaopt.tuners.base import Tuner

#: Largest number that an option takes: whatever it counts, more would fill the memory or take for ever.
MOST_OPTION = 100_000

_SETTINGS_OF_THE_RUN = set(inspect.signature(Tuner.__init__).parameters)
_TRUTH = {"true": True, "false": False}
_KINDS = {int: "an integer", float: "a number", bool: "true or false", str: "text", types.NoneType: "none"}


def check_options(tuner: type[Tuner], options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all options of ``tuner``: the given ones as their annotated types, the others with their defaults.

    Args:
        tuner: A tuner class.
        options: Values from a run file, or text from the command line, where a list is ``a,b`` or ``[a,b]``.

    Raises:
        ConfigError: if an option is unknown, lacking or of another type; one error names them all.
    """
    allowed = option_defaults(tuner)
    hints = get_type_hints(tuner.__init__)
    errors = [unknown_name("option", name, allowed).message for name in options if name not in allowed]
    bound: dict[str, Any] = {}
    for name, default in allowed.items():
        if name not in options and default is inspect.Parameter.empty:
            errors.append(f"option {shown(name)} is needed")
            continue
        try:
            bound[name] = _convert(options[name], hints[name]) if name in options else default
            if isinstance(bound[name], int | float) and abs(bound[name]) > MOST_OPTION:
                errors.append(f"option {shown(name)} is {shown(bound[name])}; allowed: at most {MOST_OPTION}")
        except ValueError as error:
            errors.append(f"option {shown(name)} must be {error}, got {shown(options[name])}")
    if errors:
        raise ConfigError(
            f"{tuner.__name__}: {'; '.join(errors)}",
            "options are given as --tuner-option NAME=VALUE, or under tuner_options in a run file",
        )
    return bound


def option_defaults(tuner: type[Tuner]) -> dict[str, Any]:
    """Returns the options of ``tuner`` and their defaults, ``inspect.Parameter.empty`` where there is none."""
    parameters = inspect.signature(tuner.__init__).parameters.items()
    return {name: parameter.default for name, parameter in parameters if name not in _SETTINGS_OF_THE_RUN}


def _convert(value: Any, annotation: Any) -> Any:
    """Returns ``value`` as ``annotation``; raises ValueError with what it must be."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    for kind in sorted(kinds, key=lambda kind: kind is not types.NoneType):  # "none" could be text and a list, too
        try:
            return _convert_to(value, kind)
        except (ValueError, KeyError, TypeError):
            continue
    raise ValueError(" or ".join(_KINDS.get(kind, "a list") for kind in kinds))


def _convert_to(value: Any, kind: Any) -> Any:
    if kind is types.NoneType:
        return {None: None, "none": None}[value]
    if get_origin(kind) is Sequence:
        return _sequence(value)
    if isinstance(value, str) and kind is not str:
        value = _TRUTH[value.lower()] if kind is bool else number(kind, value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise TypeError
    return value


def _sequence(value: Any) -> list[Any]:
    if isinstance(value, str):
        bare = value.strip().removeprefix("[").removesuffix("]")
        value = [item.strip().strip("'\"") for item in bare.split(",")] if bare.strip() else []
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return list(value)
