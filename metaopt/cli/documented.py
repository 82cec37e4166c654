"""What docstrings say of tuners and one-shot optimizers, for the commands that show them."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from metaopt.settings.field import allowed, described, types_of

_ENTRY = re.compile(r" {4}(\w+): (.*)")
_WIDTH = 100


def summaries(registry: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yields the names of a registry and the first lines of their modules, none of which is imported.

    Args:
        registry: Names to ``module:attribute``.
    """
    for name, path in registry.items():
        spec = find_spec(path.partition(":")[0])
        source = Path(str(spec and spec.origin)).read_text(encoding="utf-8")
        yield name, (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def entries(kind: type, section: str) -> dict[str, str]:
    """Returns the entries of a section of a class's docstring, such as ``Args``, those of its bases included."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        name, inside = "", False
        for line in inspect.cleandoc(base.__dict__.get("__doc__") or "").splitlines():
            if line and not line.startswith(" "):
                inside = line == f"{section}:"
            elif inside and (entry := _ENTRY.match(line)):
                name, found[entry[1]] = entry[1], entry[2]
            elif inside and name and line:
                found[name] += f" {line.strip()}"
    return found


def introduction(kind: type) -> str:
    """Returns a class's docstring up to its first section, in lines that fit a terminal."""
    paragraphs = re.split(r"\n(?:Args|Attributes|Raises):\n", inspect.cleandoc(kind.__doc__ or ""))[0].split("\n\n")
    return "\n\n".join(textwrap.fill(" ".join(text.split()), _WIDTH) for text in paragraphs if text.strip())


def rows(settings: type) -> Iterator[tuple[str, str]]:
    """Yields the settings of a dataclass by name, with the lines that show each: type, range, default, meaning."""
    types, texts = types_of(settings), entries(settings, "Attributes")
    for field in fields(settings):
        text, facts = field.metadata.get("help") or texts.get(field.name, ""), _facts(field, types[field.name])
        yield field.name, f"  {field.name:<21} {facts}" + (f"\n{indented(text)}" if text else "")


def indented(text: str) -> str:
    """Returns the lines of a text below the facts of a setting."""
    indent = " " * 24
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _facts(field: Field[Any], annotation: Any) -> str:
    choices, limits = field.metadata.get("choices"), allowed(field.metadata)
    optional = type(None) in get_args(annotation)
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)] if optional else [annotation]
    form = " ".join(filter(None, [", ".join(choices) if choices else " or ".join(map(described, kinds)), limits]))
    default = field.metadata.get("otherwise") or _plain(field.default)
    given = "required" if field.default is MISSING else f"default: {default}"
    return f"{form}{', or none' if optional else ''} ({given})"


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower()
