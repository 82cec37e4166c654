"""What a trial and a result may hold: one set of rules, for whoever answers, for what writes them and for what reads.

An answer of an objective, of a file or of a worker comes in by :func:`answered`, which makes a crash of that trial out
of what breaks the rules. What is in a journal, or is to be, goes through :func:`trial_of` and :func:`result_of`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from functools import lru_cache
from math import isfinite
from numbers import Integral, Real
from sys import intern
from typing import Any, NoReturn, TypeVar, get_args

from metaopt.core.harmless import harmless_json, is_harmless, one_line
from metaopt.core.trial import Result, Status, Trial
from metaopt.core.wording import shown

#: Largest id, number of a configuration and seed: what 64 bits hold, as in tables and databases of others.
MOST = 2**63 - 1
#: Most epochs of an evaluation, and most restarts; far above any real one.
MOST_EPOCHS = 10**9
#: Most seconds of a run or a trial, some 3,000 years: a moment after them is still a date.
MOST_SECONDS = 1e11
#: How deep mappings and lists may lie in each other.
DEEPEST = 20
#: Bytes of an answer as JSON, far below the longest line of a journal.
LARGEST_ANSWER = 16 * 2**20

_Record = TypeVar("_Record", Trial, Result)
_STATUSES = frozenset(get_args(Status))
# Names and choices are few words, which a million trials have in common.
_is_harmless_word = lru_cache(maxsize=4096)(is_harmless)
_SCALARS = frozenset({str, int, float, bool, type(None)})
# Any fraction holds what is below; Python does not even write numbers of more digits than this has times fourteen.
_LARGEST_WHOLE = 2**1023


class RecordError(ValueError):
    """A field that breaks the rules: says which, what it is, and what is allowed."""


def flawed(field: str, value: Any, allowed: str) -> NoReturn:
    """Raises the error for a field."""
    raise RecordError(f"{field} is {shown(value)}; allowed: {allowed}")


def trial_of(data: Any) -> Trial:
    """Returns the trial that these values say.

    Args:
        data: As :meth:`Trial.to_json` returns it.

    Raises:
        RecordError: for the first field that breaks a rule.
    """
    trial = _made(Trial, "the trial", data)
    whole("id", trial.id, 0, MOST)
    whole("key", trial.key, 0, MOST)
    whole("epochs", trial.epochs, 0, MOST_EPOCHS)
    if trial.most_epochs is not None:
        whole("most_epochs", trial.most_epochs, trial.epochs, MOST_EPOCHS)
    whole("seed", trial.seed, 0, MOST)
    config: Any = trial.config
    if type(config) is not dict:
        flawed("config", config, "a mapping of names to plain values")
    for name, value in config.items():
        if type(value) is str and _is_harmless_word(value):
            config[name] = intern(value)
        elif not is_value(value):
            flawed(f"config.{one_line(name, 80)}", value, "a finite number, true, false, or text without controls")
        if not _is_harmless_word(name):
            flawed("a name in config", name, "text without control characters")
    plain_mapping("memo", trial.memo)
    return trial


def result_of(data: Any) -> Result:
    """Returns the result that these values say, its texts made harmless.

    Args:
        data: As :meth:`Result.to_json` returns it.

    Raises:
        RecordError: for the first field that breaks a rule.
    """
    result = _made(Result, "the result", data)
    whole("trial_id", result.trial_id, 0, MOST)
    if type(result.status) is not str or result.status not in _STATUSES:
        flawed("status", result.status, ", ".join(sorted(_STATUSES)))
    if result.status == "ok":
        share("valid_error", result.valid_error)
        optional(share, "test_error", result.test_error)
    elif result.valid_error is not None or result.test_error is not None:
        name = "test_error" if result.valid_error is None else "valid_error"
        flawed(name, getattr(result, name), f"none, as the status is {result.status}")
    seconds("cost_s", result.cost_s)
    if result.cpu_s is not None:
        seconds("cpu_s", result.cpu_s)
    if result.epochs is not None:
        whole("epochs", result.epochs, 0, MOST_EPOCHS)
    whole("restarts", result.restarts, 0, MOST_EPOCHS)
    reason, info = text("reason", result.reason), _checked_info(result.info)
    if reason != one_line(reason) or info is not result.info:
        result = replace(result, reason=one_line(reason), info=info)
    return result


def answered(trial_id: int, answer: object, *, cost_s: float = 0.0) -> Result:
    """Returns what became of a trial; never raises, and nothing but what a journal can hold leaves it.

    Args:
        trial_id: Whose answer it is.
        answer: A :class:`Result`, or the mapping of its fields, as whoever evaluated the trial gave it.
        cost_s: Seconds that the trial took, where its answer does not say that.

    Returns:
        The answer with its texts made harmless; a crash of this trial that says what is wrong, if it breaks a rule.
    """
    data: dict[str, Any] = {}
    try:
        data = _data_of(answer)
        return _accepted(trial_id, answer, data)
    except Exception as error:  # whatever objects of others do when they are looked at
        said = str(error) if isinstance(error, RecordError) else type(error).__name__
        cost_s = _or_else(data.get("cost_s"), cost_s, lambda value: seconds("cost_s", value))
        restarts = _or_else(data.get("restarts"), 0, lambda value: whole("restarts", value, 0, MOST_EPOCHS))
        reason = one_line(f"its answer cannot be used: {said}")
        return Result(trial_id, "crashed", cost_s=cost_s, reason=reason, restarts=restarts)


def _data_of(answer: object) -> dict[str, Any]:
    if isinstance(answer, Result):
        return {of.name: getattr(answer, of.name) for of in fields(Result)}
    return dict(answer) if type(answer) is dict else {}


def _accepted(trial_id: int, answer: object, data: dict[str, Any]) -> Result:
    if not data:
        raise RecordError(f"{shown(answer)} is no Result of trial {trial_id}")
    if type(data.get("trial_id")) is not int or data["trial_id"] != trial_id:
        flawed("trial_id", data.get("trial_id"), f"{trial_id}, the trial that was evaluated")
    for name in ("valid_error", "test_error", "cost_s", "cpu_s"):
        if type(number := data.get(name)) not in _SCALARS and isinstance(number, Real):
            data[name] = float(number)  # NumPy's numbers are numbers
    for name in ("epochs", "restarts"):
        if type(number := data.get(name)) not in _SCALARS and isinstance(number, Integral):
            data[name] = int(number)
    data["info"] = _as_read(data.get("info", {}))
    return result_of(data)


def _as_read(info: Any) -> Any:
    """Returns further values as a journal gives them back: tuples are lists there, names of numbers texts."""
    try:
        packed = json.dumps(info, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"info is no plain JSON: {error}") from None
    if len(packed) > LARGEST_ANSWER:
        raise RecordError(f"info has {len(packed)} bytes as JSON; allowed: {LARGEST_ANSWER}")
    return json.loads(packed)


def _or_else(value: Any, otherwise: Any, check: Callable[[Any], object]) -> Any:
    try:
        check(value)
    except RecordError:
        return otherwise
    return value


def _made(kind: type[_Record], what: str, data: Any) -> _Record:
    if type(data) is not dict:
        flawed(what, data, "a mapping of its fields")
    try:
        return kind(**data)
    except TypeError:
        names = {of.name for of in fields(kind)}
        if unknown := sorted(data.keys() - names):
            raise RecordError(f"{what} has no field {shown(unknown[0])}; it has {', '.join(sorted(names))}") from None
        needed = [of.name for of in fields(kind) if of.default is MISSING and of.default_factory is MISSING]
        raise RecordError(f"{what} has no {', '.join(name for name in needed if name not in data)}") from None


def whole(field: str, value: Any, least: int, most: int) -> int:
    """Returns a whole number of a range, both ends in it; raises RecordError on anything else."""
    if type(value) is not int or not least <= value <= most:
        flawed(field, value, f"a whole number from {least} to {most}")
    return value


def number(field: str, value: Any) -> float:
    """Returns a finite number; raises RecordError on anything else."""
    kind = type(value)
    if (kind is not float or not isfinite(value)) and (kind is not int or abs(value) >= _LARGEST_WHOLE):
        flawed(field, value, "a finite number")
    return value  # type: ignore[no-any-return]  # its type was just checked


def seconds(field: str, value: Any) -> float:
    """Returns seconds of a run or a trial; raises RecordError on anything else."""
    kind = type(value)
    if (kind is not float and kind is not int) or not 0.0 <= value <= MOST_SECONDS:
        flawed(field, value, f"seconds from 0 to {MOST_SECONDS:g}")
    return value  # type: ignore[no-any-return]  # its type was just checked


def share(field: str, value: Any) -> float:
    """Returns an error; raises RecordError on anything that is no number in [0, 1]."""
    kind = type(value)
    if (kind is not float and kind is not int) or not 0.0 <= value <= 1.0:
        flawed(field, value, "a number in [0, 1]")
    return value  # type: ignore[no-any-return]  # its type was just checked


def text(field: str, value: Any) -> str:
    """Returns a text; raises RecordError on anything else."""
    if type(value) is not str:
        flawed(field, value, "text")
    return value


def flag(field: str, value: Any) -> bool:
    """Returns true or false; raises RecordError on anything else."""
    if type(value) is not bool:
        flawed(field, value, "true or false")
    return value


def optional(check: Callable[[str, Any], Any], field: str, value: Any) -> Any:
    """Returns nothing, or what a check returns."""
    return None if value is None else check(field, value)


def list_of(check: Callable[[str, Any], Any]) -> Callable[[str, Any], list[Any]]:
    """Returns the check of a list, each entry of which may be nothing or passes ``check``."""

    def checked(field: str, value: Any) -> list[Any]:
        if type(value) is not list:
            flawed(field, value, "a list")
        for place, entry in enumerate(value):
            optional(check, f"{field}[{place}]", entry)
        return value

    return checked


def is_value(value: Any) -> bool:
    """Returns whether this is a value of a hyperparameter: a finite number, true, false, or harmless text."""
    kind = type(value)
    if kind is float:
        return isfinite(value)
    if kind is int:
        return bool(-MOST - 1 <= value <= MOST)
    return kind is bool or (kind is str and is_harmless(value))


def plain_mapping(field: str, value: Any) -> dict[str, Any]:
    """Returns a mapping of names to plain JSON values; raises RecordError on anything else."""
    if type(value) is not dict:
        flawed(field, value, "a mapping")
    for name, inner in value.items():
        if type(inner) not in _SCALARS or type(inner) in (int, float):
            plain(f"{field}.{one_line(name, 80)}", inner)
    return value


def plain(field: str, value: Any, depth: int = DEEPEST) -> Any:
    """Returns a plain JSON value; raises RecordError on anything else, and on what lies too deep in each other."""
    kind = type(value)
    if kind is int or kind is float:
        number(field, value)
    elif kind is dict or kind is list:
        if not depth:
            flawed(field, value, f"mappings and lists in each other at most {DEEPEST} deep")
        for inner in value.values() if kind is dict else value:
            plain(field, inner, depth - 1)
    elif kind not in _SCALARS:
        flawed(field, value, "plain JSON")
    return value


def _trajectory(field: str, value: Any) -> dict[str, Any]:
    """Checks the epochs of a search: columns of one length, of errors, losses or cells."""
    for name, column in plain_mapping(field, value).items():
        check = text if name == "cell" else share if name.endswith("_error") else number
        list_of(check)(f"{field}.{one_line(name, 80)}", column)
    if len({len(column) for column in value.values()}) > 1:
        flawed(field, value, "columns of one length")
    return value  # type: ignore[no-any-return]  # its type was just checked


#: What a report shows of an answer; other names may hold any plain JSON.
_INFO: Mapping[str, Callable[[str, Any], Any]] = {
    "cell": text,
    "cell_hash": text,
    "predicted": flag,
    "one_shot_error": share,
    "final_valid_error": share,
    "final_test_error": share,
    "trajectory": _trajectory,
    "valid_errors": list_of(share),
    "test_errors": list_of(share),
    "table_cost_s": seconds,
}


def _checked_info(info: Any) -> dict[str, Any]:
    """Returns the further values of an answer, which is a copy only if some text in it was not harmless."""
    if type(info) is not dict:
        flawed("info", info, "a mapping")
    are_harmless = True
    for name, value in info.items():
        kind = type(value)
        if name in _INFO and value is not None:
            _INFO[name](f"info.{name}", value)
        elif kind is int and abs(value) < MOST:
            pass  # the name for a message is made only where one may be needed
        elif kind is not str and kind is not bool and value is not None:
            plain(f"info.{one_line(name, 80)}", value)
        if not name.isprintable() or (kind is not int and kind is not float and not _are_harmless(value)):
            are_harmless = False
    return info if are_harmless else harmless_json(info)


def _are_harmless(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return is_harmless(value)
    if kind is dict:
        return all(map(is_harmless, value)) and all(map(_are_harmless, value.values()))
    return kind is not list or all(map(_are_harmless, value))
