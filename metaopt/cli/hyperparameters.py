"""Hyperparameters of a single search on the command line: ``--set NAME=VALUE`` on top of the optimizer's defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.registry import load
from metaopt.core.wording import shown
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.settings import SearchSettings
from metaopt.settings.field import convert, types_of
from metaopt.spaces.space import default_with, load_space


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
        raise ConfigError(error.message, "change --set, or the space that --space names") from None
    return config


def _typed(pair: str, settings: type[SearchSettings]) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    names = {field.name for field in fields(settings)}
    if not equals:
        raise ConfigError(f"--set takes NAME=VALUE, got {shown(pair)}", "for example --set learning_rate=0.1")
    if name not in names:
        raise unknown_name("hyperparameter", name, names, "settings of the optimizer are what --set takes")
    try:
        return name, convert(text, types_of(settings)[name])
    except ValueError as error:
        raise ConfigError(f"{name} must be {error}, got {shown(text)}", f"change --set {name}=...") from None
