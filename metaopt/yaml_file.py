"""Reads a YAML file strictly: what YAML takes silently and its author did not mean is an error with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from metaopt.errors import ConfigError

# YAML 1.1, which PyYAML reads, wants a dot and a signed exponent in a number: 1e-3 and 1.0e3 are text.
_NUMBER_READ_AS_TEXT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def read_yaml(path: Path) -> Any:
    """Returns the plain values in a YAML file; None if it is empty.

    Raises:
        ConfigError: if the file cannot be read or is not YAML, if a key stands twice in a mapping, or if a number is
            written so that YAML takes it for text, as ``1e-3``; names the line.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506, a SafeLoader
    except FileNotFoundError:
        raise ConfigError(f"no such file: {path}", "check the path; it is taken from the current folder") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", "give a YAML file that you may read") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: byte {error.start} is not", "save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "an unknown place"
        raise ConfigError(
            f"{path}, {place}: {error.problem or error.context}", error.note or "correct that line"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}", "correct the file") from None


class _StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _misfit(key, "a key must be one word or number", "write a plain key")
            if key.value in seen:
                raise _misfit(key, f"the key {key.value!r} stands twice", "remove one of the two")
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_text(self, node: yaml.ScalarNode) -> str:
        text = str(self.construct_scalar(node))
        if node.style is None and _NUMBER_READ_AS_TEXT.fullmatch(text):
            problem = f"YAML reads {text} as text, not as a number"
            raise _misfit(node, problem, f"write {_as_yaml_number(text)}, or put it in quotes if text is meant")
        return text


_StrictLoader.add_constructor("tag:yaml.org,2002:str", _StrictLoader.construct_text)


def _misfit(node: yaml.Node, problem: str, advice: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark, note=advice)


def _as_yaml_number(text: str) -> str:
    digits, exponent = text.lower().split("e")
    digits += "" if "." in digits else ".0"
    return f"{digits}e{exponent if exponent[0] in '+-' else '+' + exponent}"
