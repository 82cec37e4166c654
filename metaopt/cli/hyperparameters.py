"""Hyperparameters of a single search on the command line: ``--set NAME=VALUE`` on top of the optimizer's defaults."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.registry import load
from metaopt.core.wording import shown
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.settings import SearchSettings
from metaopt.settings.field import number
from metaopt.spaces.space import default_with, load_space

_TRUTH = {"true": True, "false": False}
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", types.NoneType: "none"}


def hyperparameters(optimizer: str, pairs: Sequence[str], space: str | None = None) -> dict[str, Any]:
    """Returns the default configuration of a space, with the given values instead of its own.

    Args:
        optimizer: Name of a one-shot optimizer.
        pairs: As ``NAME=VALUE``; any setting of the optimizer, also one that the space leaves alone.
        space: Name or file of the space; None: the optimizer's own.

    Raises:
        ConfigError: if a name is unknown, or if a value is of another type, out of range or without an effect.
    """
    if optimizer not in ONESHOT:
        raise unknown_name("one-shot optimizer", optimizer, ONESHOT, "change --optimizer")
    settings: type[SearchSettings] = load(ONESHOT[optimizer]).Settings
    given = dict(_typed(pair, settings) for pair in pairs)
    config = default_with(load_space(space or optimizer), given)
    try:
        settings.from_config(config)
    except ConfigError as error:
        raise ConfigError(error.message, "change --set, or the space that --hyperparameters names") from None
    return config


def _typed(pair: str, settings: type[SearchSettings]) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    hints = {entry.name: get_type_hints(settings)[entry.name] for entry in fields(settings)}
    if not equals:
        raise ConfigError(f"--set takes NAME=VALUE, got {shown(pair)}", "for example --set learning_rate=0.1")
    if name not in hints:
        raise unknown_name("hyperparameter", name, hints, "settings of the optimizer are what --set takes")
    kinds = get_args(hints[name]) or (hints[name],)
    for kind in kinds:
        try:
            return name, _value(text, kind)
        except (ValueError, KeyError):
            continue
    wanted = " or ".join(_KINDS[kind] for kind in kinds)
    raise ConfigError(f"{name} must be {wanted}, got {shown(text)}", f"change --set {name}=...")


def _value(text: str, kind: Any) -> Any:
    """Returns text as a value of a type; raises ValueError or KeyError if it is none."""
    if kind is types.NoneType:
        return {"none": None}[text]
    if kind is bool:
        return _TRUTH[text.lower()]
    value: Any = text if kind is str else number(kind, text)
    if kind is float and not math.isfinite(value):
        raise ValueError
    return value
