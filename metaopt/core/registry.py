"""Names to constructors: every registry is a visible dict of ``"module:attribute"`` strings, loaded on first use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from metaopt.core.errors import unknown_name


def load(path: str) -> Any:
    """Returns the attribute at ``"module:attribute"``."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def resolve(kind: str, registry: Mapping[str, str], name: str) -> Any:
    """Returns what ``registry`` holds under ``name``.

    Args:
        kind: What the registry holds, for the error message, e.g. ``"tuner"``.
        registry: Names to ``"module:attribute"``.
        name: The name as the user wrote it.

    Raises:
        ConfigError: if the name is not in the registry; says the nearest one.
    """
    if name not in registry:
        raise unknown_name(kind, name, registry)
    return load(registry[name])
