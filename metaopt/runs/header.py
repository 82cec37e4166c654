"""What the header of a journal says of its run: one typed reading, for whatever writes, resumes, shows or exports it.

A field that is lacking is one of an earlier version, and stands for nothing. One that is there is of its type, or the
header is refused: every reader may rely on that.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from metaopt.core.errors import JournalError
from metaopt.core.harmless import is_harmless, one_line
from metaopt.core.records import (
    MOST,
    MOST_EPOCHS,
    RecordError,
    flag,
    flawed,
    is_value,
    list_of,
    optional,
    plain_mapping,
    share,
    text,
    whole,
)
from metaopt.core.trial import Value
from metaopt.core.wording import shown
from metaopt.settings.run import EXTENDABLE, WRITTEN, BaselineSettings, RunSettings, TuneSettings, from_json

_Check = Callable[[str, Any], Any]
_YEARS = (1970, 5000)
#: Largest bound of a hyperparameter: the width of a range must be a number, too.
_LARGEST_BOUND = 1e300
#: By how much of a bound a value may be beyond it, which has been to a logarithm and back.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Hyperparameter:
    """One dimension of a space, as the journal's header states it.

    Attributes:
        name: As in a trial's configuration.
        lower: Smallest value of a number; 0 where there are choices.
        upper: Largest value of a number; 0 where there are choices.
        log: True if it is sampled on a logarithmic scale.
        choices: All values of a categorical, ordinal or constant one; empty for a number.
        default: Its default, None where the space states none.
        whole: True if only whole numbers are taken.
    """

    name: str
    lower: float = 0.0
    upper: float = 0.0
    log: bool = False
    choices: tuple[Value, ...] = ()
    default: Value | None = None
    whole: bool = False

    def takes(self, value: Value) -> bool:
        """Returns whether ``value`` is one of its values; a fraction may be rounded at its bounds."""
        if self.choices:
            return value in self.choices
        if type(value) is int or (type(value) is float and not self.whole):
            slack = _ROUNDING * max(abs(self.lower), abs(self.upper))
            return self.lower - slack <= value <= self.upper + slack and (value > 0 or not self.log)
        return False

    def position(self, value: Value) -> float:
        """Returns where ``value`` lies on the sampled scale, in [0, 1]; choice k of K takes the middle of its K-th.

        Raises:
            ValueError: if ``value`` is none of the choices.
        """
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        low, high, x = self.lower, self.upper, float(value)
        if self.log:
            low, high, x = math.log(low), math.log(high), math.log(x)
        return min(1.0, max(0.0, (x - low) / (high - low)))


@dataclass(frozen=True, slots=True)
class RunHeader:
    """A run, as its header says.

    Attributes:
        content: The whole header.
        settings: Of the run; empty if the header has none.
        hyperparameters: The dimensions of its space, in the order of the header; empty if there are none.
        default: The default configuration; None if there is none, as of cells.
        objective: What the objective said of itself; empty if there is nothing.
    """

    content: Mapping[str, Any]
    settings: Mapping[str, Any]
    hyperparameters: tuple[Hyperparameter, ...]
    default: Mapping[str, Value] | None
    objective: Mapping[str, Any]

    @classmethod
    def of(cls, content: Any) -> RunHeader:
        """Returns what a header says.

        Args:
            content: The first line of a journal.

        Raises:
            RecordError: for the first field that breaks a rule.
        """
        for name, value in plain_mapping("the header", content).items():
            if value is not None and name in _FIELDS:
                _FIELDS[name](name, value)
        return cls(
            content,
            content.get("run") or {},
            _hyperparameters((content.get("space") or {}).get("hyperparameters", [])),
            content.get("default"),
            content.get("objective") or {},
        )

    @property
    def config(self) -> RunSettings:
        """The settings as those of this version.

        Raises:
            RecordError: if the header has none.
            ConfigError: if they are those of another version.
        """
        if not self.settings:
            raise RecordError("it has no settings, which only metaopt tune and metaopt baseline write")
        return from_json(self.settings)

    @property
    def space(self) -> Mapping[str, Any]:
        """The space as ConfigSpace writes it, for those who rebuild it.

        Raises:
            RecordError: if the header has none.
        """
        if not self.content.get("space"):
            raise RecordError("it has no space, which only metaopt tune and metaopt baseline write")
        space: Mapping[str, Any] = self.content["space"]
        return space


def extended(content: Mapping[str, Any], settings: Any) -> dict[str, Any]:
    """Returns what a header states after an extension.

    Raises:
        RecordError: if a setting is not in :data:`metaopt.settings.run.EXTENDABLE`, or its value is not valid.
    """
    for name in plain_mapping("settings", settings):
        if name not in EXTENDABLE:
            raise RecordError(f"it extends {shown(name)}; only these can be extended: {', '.join(EXTENDABLE)}")
    found = {**content, "run": {**(content.get("run") or {}), **settings}}
    RunHeader.of(found)
    return found


@contextmanager
def of_journal(path: Path) -> Iterator[None]:
    """Names the journal whose header breaks a rule.

    Raises:
        JournalError: in place of a RecordError.
    """
    try:
        yield
    except RecordError as error:
        raise JournalError(
            f"the header of the journal {path}, its line 1: {error}",
            "install a later metaopt if one wrote this journal; restore it from a backup if it was edited",
        ) from None


def _run(field: str, value: Any) -> None:
    """Checks settings: those that this version knows by their annotations, others to be plain values."""
    known = _settings(TuneSettings if "optimizer" in plain_mapping(field, value) else BaselineSettings)
    for name, given in value.items():
        if name in known:
            _setting(f"{field}.{name}", given, *known[name])


@lru_cache(maxsize=2)
def _settings(kind: type[RunSettings]) -> dict[str, tuple[tuple[Any, ...], float | None]]:
    """Returns the types and the smallest value of every setting."""
    hints = get_type_hints(kind)
    return {
        WRITTEN.get(field.name, field.name): (
            get_args(hints[field.name]) or (hints[field.name],),
            field.metadata.get("ge"),
        )
        for field in fields(kind)
    }


def _setting(field: str, value: Any, kinds: tuple[Any, ...], lowest: float | None) -> None:
    if kinds == get_args(Mapping[str, Any]):
        plain_mapping(field, value)
        return
    names = [_KINDS[kind] for kind in kinds]
    if not any(type(value) is kind or (kind is float and type(value) is int) for kind in kinds):
        flawed(field, value, " or ".join(names))
    if type(value) is int:
        whole(field, value, -MOST - 1, MOST)
    if lowest is not None and value is not None and value < lowest:
        flawed(field, value, f"{lowest:g} or more")


_KINDS = {int: "a whole number", float: "a number", str: "text", types.NoneType: "nothing"}


def _space(field: str, value: Any) -> None:
    _hyperparameters(plain_mapping(field, value).get("hyperparameters", []))


def _hyperparameters(value: Any) -> tuple[Hyperparameter, ...]:
    if type(value) is not list:
        flawed("space.hyperparameters", value, "a list")
    found = tuple(_hyperparameter(f"space.hyperparameters[{place}]", entry) for place, entry in enumerate(value))
    if len({one.name for one in found}) < len(found):
        raise RecordError("two of space.hyperparameters have one name")
    return found


def _hyperparameter(field: str, entry: Any) -> Hyperparameter:
    """Reads one entry of ConfigSpace's serialized form."""
    name = text(f"{field}.name", plain_mapping(field, entry).get("name"))
    if not name or not is_harmless(name):
        flawed(f"{field}.name", name, "text without control characters")
    default = entry.get("default_value")
    if "value" in entry:
        found = Hyperparameter(name, choices=_choices(f"{field}.value", [entry["value"]]), default=entry["value"])
    elif choices := entry.get("choices") or entry.get("sequence"):
        found = Hyperparameter(name, choices=_choices(f"{field}.choices", choices), default=default)
    else:
        found = _range(field, name, entry, default)
    if found.default is not None and not (is_value(found.default) and found.takes(found.default)):
        flawed(f"{field}.default_value", found.default, "a value that the hyperparameter takes")
    return found


def _choices(field: str, values: Any) -> tuple[Value, ...]:
    if type(values) is not list or not all(map(is_value, values)):
        flawed(field, values, "a list of finite numbers, true, false, and text without control characters")
    return tuple(values)


def _range(field: str, name: str, entry: Mapping[str, Any], default: Any) -> Hyperparameter:
    bounds: list[Any] = [entry.get(end) for end in ("lower", "upper")]
    is_whole = str(entry.get("type")).endswith("_int")
    for end, bound in zip(("lower", "upper"), bounds, strict=True):
        most = MOST if is_whole else _LARGEST_BOUND
        if type(bound) not in (int, float) or not -most <= bound <= most:
            flawed(f"{field}.{end}", bound, f"a number from {-most:g} to {most:g}")
    lower, upper = map(float, bounds)
    if not lower < upper:
        flawed(f"{field}.upper", upper, f"a number above lower, which is {lower}")
    log = optional(flag, f"{field}.log", entry.get("log"))
    if log and lower <= 0:
        flawed(f"{field}.lower", lower, "a number above 0, as it is on a log scale")
    return Hyperparameter(name, lower, upper, bool(log), default=default, whole=is_whole)


def _configuration(field: str, value: Any) -> None:
    for name, choice in plain_mapping(field, value).items():
        if not is_value(choice):
            flawed(f"{field}.{one_line(name, 80)}", choice, "a finite number, true, false, or text without controls")


def _objective(field: str, value: Any) -> None:
    for name, check in (("optimum_valid_error", share), ("optimum_test_error", share), ("table", _table)):
        optional(check, f"{field}.{name}", plain_mapping(field, value).get(name))


def _table(field: str, value: Any) -> None:
    """Checks the entries about a table: how many cells it has, and after which epochs."""
    if "cells" in plain_mapping(field, value):
        whole(f"{field}.cells", value["cells"], 0, MOST)
    epochs = f"{field}.epochs"
    if None in list_of(lambda place, number: whole(place, number, 0, MOST_EPOCHS))(epochs, value.get("epochs", [])):
        flawed(epochs, value["epochs"], "a list of whole numbers")


def _started(field: str, value: Any) -> None:
    first, last = _YEARS
    try:
        if first <= datetime.fromisoformat(text(field, value)).year < last:
            return
    except (ValueError, OverflowError):
        pass
    flawed(field, value, f"a time as in ISO 8601, of the years {first} to {last}")


def _command(field: str, value: Any) -> None:
    if type(value) is not str:
        for place, word in enumerate(_list(field, value)):
            text(f"{field}[{place}]", word)


def _list(field: str, value: Any) -> Sequence[Any]:
    if type(value) is not list:
        flawed(field, value, "text, or a list of texts")
    return value


#: What readers rely on; further fields hold plain values.
_FIELDS: Mapping[str, _Check] = {
    "run": _run,
    "space": _space,
    "default": _configuration,
    "objective": _objective,
    "versions": plain_mapping,
    "host": plain_mapping,
    "started": _started,
    "command": _command,
    "confirms": text,
}
