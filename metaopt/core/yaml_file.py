"""Reads a YAML file strictly: what YAML takes silently and its author did not mean is an error with its line.

The parser is PyYAML's; what a scalar means is said here, because YAML 1.1 reads ``010`` as 8, ``1:30`` as 90 and ``no``
as false. Values are built from the parser's events with a stack of our own: no file nests too deeply for Python, holds
itself, or grows in memory by what its aliases repeat.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from metaopt.core.errors import ConfigError
from metaopt.core.system_errors import explained
from metaopt.core.wording import shown

#: Bytes of the largest file, levels of the deepest one, values in it (those that an alias repeats counted again), and
#: digits of its longest number. All are far above what anybody writes by hand.
MOST_BYTES, MOST_LEVELS, MOST_VALUES, MOST_DIGITS = 2**20, 50, 100_000, 100

_NULL = {"", "null", "Null", "NULL"}
_TRUTH = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"([-+]?(0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")
# What somebody may mean as a number and YAML 1.1 takes for text: it needs a dot and a signed exponent, and knows no 0o.
_TEXT_LIKE_A_NUMBER = re.compile(
    r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+|[-+]\.[0-9]+|[-+]?0[oO][0-9_]+|[-+]?0[0-9_]+"
)
_SCIENTIFIC = re.compile(r"([-+]?)([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]+))?")
_TAG = "tag:yaml.org,2002:"


def read_yaml(path: Path) -> Any:
    """Returns the plain values in a YAML file; None if it is empty.

    Raises:
        ConfigError: if the file cannot be read, is not YAML or too large, if a key stands twice in a mapping, or if
            something is written so that YAML takes it for something else than it looks like, as ``1e-3``, ``010`` or
            ``no``; names the line, and what to write.
    """
    try:
        return _values(_text(path))
    except FileNotFoundError:
        raise ConfigError(f"no such file: {path}", "check the path; it is taken from the current folder") from None
    except OSError as error:
        raise explained(error, f"cannot read {path}", "give a YAML file that you may read", ConfigError) from None
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


def _text(path: Path) -> str:
    # Not to wait for whoever may one day write into a pipe; what a shell puts in place of <(...) has its writer.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        os.set_blocking(file.fileno(), True)
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path} is larger than {MOST_BYTES} bytes", "give a file that was written by hand")
    return content.decode("utf-8")


def _values(text: str) -> Any:
    builder = _Builder()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        builder.take(event)
    return builder.root


@dataclass
class _Open:
    """A list or mapping whose end has not come yet, and how many values it holds so far."""

    content: list[Any] | dict[Any, Any]
    event: yaml.CollectionStartEvent
    n_values: int = 1
    keys: list[Any] = field(default_factory=list)  # the one that waits for its value


class _Builder:
    """Builds plain values of a parser's events."""

    def __init__(self) -> None:
        self.root: Any = None
        self._n_documents = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int] | None] = {}  # None: it is open

    def take(self, event: yaml.Event) -> None:
        """Takes the next event; raises MarkedYAMLError if it is not wanted."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._n_documents += 1
            if self._n_documents > 1:
                raise _misfit(event, "a second document begins here", "write one document into one file")
        elif isinstance(event, yaml.AliasEvent):
            self._put(event, *self._repeated(event))
        elif isinstance(event, yaml.ScalarEvent):
            self._begin(event)
            self._end(event, _scalar(event), 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
            if len(self._open) == MOST_LEVELS:
                raise _misfit(event, f"it is nested deeper than {MOST_LEVELS} levels", "write it flatter")
            self._open.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}, event))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            self._end(done.event, done.content, done.n_values)

    def _begin(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            raise _misfit(event, f"the tag {shown(event.tag)} is not taken", "write the value itself, text in quotes")
        if event.anchor in self._anchors:
            raise _misfit(event, f"the anchor {shown(event.anchor)} stands twice", "rename one of the two")
        if event.anchor is not None:
            self._anchors[event.anchor] = None

    def _end(self, event: yaml.NodeEvent, value: Any, n_values: int) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = value, n_values
        self._put(event, value, n_values)

    def _repeated(self, event: yaml.AliasEvent) -> tuple[Any, int]:
        if event.anchor is None or event.anchor not in self._anchors:
            raise _misfit(event, f"found undefined alias {shown(event.anchor)}", "write the value itself")
        found = self._anchors[event.anchor]
        if found is None:
            raise _misfit(event, f"{shown(event.anchor)} would hold itself", "write the value itself")
        return found

    def _put(self, event: yaml.Event, value: Any, n_values: int) -> None:
        """Puts a whole value to where it belongs."""
        if not self._open:
            self.root = value
            return
        top = self._open[-1]
        top.n_values += n_values
        if top.n_values > MOST_VALUES:
            raise _misfit(event, f"there are more than {MOST_VALUES} values up to here, aliases counted", "write fewer")
        if isinstance(top.content, list):
            top.content.append(value)
        elif top.keys:
            top.content[top.keys.pop()] = value
        else:
            top.keys.append(_key(event, value, top.content))


def _key(event: yaml.Event, value: Any, mapping: dict[Any, Any]) -> Any:
    if value is None or isinstance(value, list | dict):
        raise _misfit(event, "a key must be one word or number", "write a plain key")
    if value in mapping:
        raise _misfit(event, f"the key {shown(value)} stands twice", "remove one of the two")
    return value


def _scalar(event: yaml.ScalarEvent) -> Any:
    """Returns the value that a scalar has and looks like; raises MarkedYAMLError if the two differ."""
    text = event.value
    if event.style is not None:  # in quotes, or a block of text
        return text
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _WHOLE.fullmatch(text):
        if len(text) > MOST_DIGITS:
            raise _misfit(event, f"a number of {len(text)} digits", f"write one of at most {MOST_DIGITS}")
        return int(text)
    if _DECIMAL.fullmatch(text):
        return _decimal(event, float(text))
    kind = _yaml_kind(text)
    if kind != "str" or _TEXT_LIKE_A_NUMBER.fullmatch(text):
        raise _doubtful(event, kind)
    return text


def _yaml_kind(text: str) -> str:
    """Returns what YAML 1.1 takes a plain scalar for: ``str``, ``int``, ``bool`` and so on."""
    tag: str = yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # no stubs
    return tag.removeprefix(_TAG)


def _decimal(event: yaml.ScalarEvent, number: float) -> float:
    mantissa = re.split("[eE]", event.value)[0]
    if math.isinf(number) or (number == 0 and re.search("[1-9]", mantissa)):
        size = "large" if number else "small"
        raise _misfit(event, f"{shown(event.value)} is too {size} for a number", "write another one")
    return number


def _doubtful(event: yaml.ScalarEvent, kind: str) -> yaml.MarkedYAMLError:
    """Returns the error for a plain scalar that YAML takes for something else than it looks like."""
    text = event.value
    quotes = "put it in quotes if text is meant"
    if kind == "str":
        advice = _as_yaml_number(text)
        return _misfit(event, f"YAML reads {_cut(text)} as text, not as a number", f"write {_cut(advice)}, or {quotes}")
    if kind in ("int", "float"):
        value = _as_yaml_reads(text, kind)
        if value is None:
            return _misfit(event, f"{_cut(text)} is no number that can be used", f"write another one, or {quotes}")
        return _misfit(
            event, f"YAML reads {_cut(text)} as {_cut(str(value))}", f"write the number that is meant, or {quotes}"
        )
    if kind == "bool":
        true = text.lower() in ("yes", "on")
        word = str(true).lower()
        return _misfit(event, f"YAML reads {text} as {word}", f"write {word}, or {quotes}")
    if kind == "null":
        return _misfit(event, f"YAML reads {text} as nothing", f"write null, or {quotes}")
    if kind == "timestamp":
        return _misfit(event, f"YAML reads {_cut(text)} as a date, and no date is wanted", "put it in quotes")
    return _misfit(event, f"YAML has a meaning of its own for {_cut(text)}", f"write out what is meant, or {quotes}")


def _as_yaml_reads(text: str, kind: str) -> int | float | None:
    """Returns the number that YAML 1.1 sees; None if there is none, or none that is finite."""
    node = yaml.ScalarNode(f"{_TAG}{kind}", text[: MOST_DIGITS + 1])
    constructor = yaml.SafeLoader("")
    try:
        number = constructor.construct_yaml_int(node) if kind == "int" else constructor.construct_yaml_float(node)
    except (ValueError, OverflowError, yaml.YAMLError):
        return None
    return number if len(text) <= MOST_DIGITS and math.isfinite(number) else None


def _as_yaml_number(text: str) -> str:
    """Returns how to write a number for YAML to take it for one."""
    sign, whole, fraction, exponent = ("", "", "", None)
    if found := _SCIENTIFIC.fullmatch(text):
        sign, whole, fraction, exponent = found.groups()
    if exponent is None and not fraction:
        return "the number that is meant"
    power = "" if exponent is None else f"e{exponent if exponent[0] in '+-' else '+' + exponent}"
    return f"{sign}{whole.lstrip('0') or '0'}.{fraction or '0'}{power}"


def _cut(text: str) -> str:
    return shown(text)[1:-1]


def _misfit(event: yaml.Event, problem: str, advice: str) -> yaml.MarkedYAMLError:
    # The stubs say that an event has no mark.
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark, note=advice)  # type: ignore[arg-type]
