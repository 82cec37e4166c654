"""``metaopt space list|show|check``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from metaopt.cli import OK
from metaopt.core.errors import ConfigError
from metaopt.spaces.file import space_names
from metaopt.spaces.space import load_space, space_to_json, unmet


def list_spaces(arguments: Namespace) -> int:
    """Prints the names of the shipped spaces."""
    for name in space_names():
        print(f"{name:<12} {', '.join(load_space(name))}")
    return OK


def show(arguments: Namespace) -> int:
    """Prints the hyperparameters of a space."""
    _print(arguments.space)
    return OK


def check(arguments: Namespace) -> int:
    """Says whether a file is a space."""
    if not Path(arguments.file).suffix:
        raise ConfigError(
            f"{arguments.file!r} is not the name of a .yaml file", "see `metaopt space show` for shipped ones"
        )
    _print(arguments.file)
    print(f"{arguments.file} is a space")
    return OK


def _print(name_or_path: str) -> None:
    space = load_space(name_or_path)
    for entry in space_to_json(space)["hyperparameters"]:
        meta = entry.get("meta") or {}
        unit = f" {unit}" if (unit := meta.get("unit")) else ""
        print(f"{entry['name']:<20} {span(entry)}{unit}")
        if source := meta.get("source"):
            print(f"{'':<20} source: {source}")
        if needed := unmet(space, entry["name"], {}):
            print(f"{'':<20} only where {' and '.join(needed)}")


def span(entry: dict[str, Any]) -> str:
    """Returns the values of a hyperparameter, as ConfigSpace writes it, and its default."""
    if "value" in entry:
        return f"always {entry['value']}"
    values = entry.get("choices") or entry.get("sequence")
    span = ", ".join(map(str, values)) if values else f"{entry['lower']} to {entry['upper']}"
    log = ", log scale" if entry.get("log") else ""
    return f"{span}{log}, default {entry.get('default_value')}"
