"""The grammar of a space file, checked before ConfigSpace reads it, because what that says is no help to a user.

The format is ConfigSpace's own: ``name``, ``hyperparameters``, ``conditions``, ``forbiddens``; and ``extends``, the
name of a shipped space whose entries hold except where the file says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.harmless import is_harmless
from metaopt.core.paths import data_folder
from metaopt.core.wording import shown
from metaopt.spaces.constraints import check_constraints, check_keys, check_type, is_same, items_of

_SUFFIXES = (".yaml", ".yml")
_TOP = {"name", "extends", "hyperparameters", "conditions", "forbiddens", "python_module_version", "format_version"}
_RANGE = {"lower", "upper"}
# Type of a hyperparameter: keys it must have beside ``name``, keys it may have beside ``meta``.
_HYPERPARAMETERS: dict[str, tuple[set[str], set[str]]] = {
    "uniform_float": (_RANGE, {"default_value", "log"}),
    "uniform_int": (_RANGE, {"default_value", "log"}),
    "normal_float": (_RANGE | {"mu", "sigma"}, {"default_value", "log"}),
    "normal_int": (_RANGE | {"mu", "sigma"}, {"default_value", "log"}),
    "beta_float": (_RANGE | {"alpha", "beta"}, {"default_value", "log"}),
    "beta_int": (_RANGE | {"alpha", "beta"}, {"default_value", "log"}),
    "categorical": ({"choices"}, {"default_value", "weights"}),
    "ordinal": ({"sequence"}, {"default_value"}),
    "constant": ({"value"}, set()),
}
#: Numbers that a hyperparameter may have: ConfigSpace computes with 64 bits, and rounds to 13 decimals.
MOST_WHOLE, MOST_FLOAT, LEAST_LOG, LEAST_WIDTH = 10**12, 1e100, 1e-12, 1e-9
_DECIMALS, _PRECISE = 13, 1e-6
_MOST_HYPERPARAMETERS, _MOST_CHOICES, _MOST_CHARACTERS, _MOST_INTEGER = 1000, 10_000, 1000, 2**63 - 1


def space_names() -> list[str]:
    """Returns the names of the shipped spaces, sorted."""
    return sorted(path.stem for path in data_folder("spaces").glob("*.yaml"))


def space_file(name_or_path: str | Path) -> Path:
    """Returns the file of a space.

    Args:
        name_or_path: One of :func:`space_names`, or the path of a .yaml file, which may not be there.

    Raises:
        ConfigError: if there is no such name.
    """
    given = str(name_or_path)
    if Path(given).suffix in _SUFFIXES:
        return Path(given).expanduser()
    if given not in space_names():
        hint = "see `metaopt space list`, or give the path of a file that ends in .yaml"
        raise unknown_name("space", given, space_names(), hint)
    return data_folder("spaces") / f"{given}.yaml"


def check_space_file(data: Any) -> None:
    """Checks what a space file holds.

    Args:
        data: The plain values in the file.

    Raises:
        ConfigError: for the first thing that ConfigSpace could not take; names the hyperparameter or condition.
    """
    if not isinstance(data, Mapping) or "hyperparameters" not in data:
        raise ConfigError(
            "a space file needs the key 'hyperparameters'", "see the files that `metaopt space list` names"
        )
    check_keys("the space file", data, {"hyperparameters"}, _TOP)
    if not isinstance(data.get("name"), str | None):
        raise ConfigError(f"the name of a space must be text, got {shown(data['name'])}", "put it in quotes")
    names: dict[str, None] = {}
    for number, item in enumerate(items_of(data, "hyperparameters"), start=1):
        name = check_name(item, number, names)
        _check_hyperparameter(f"hyperparameter {shown(name)}", item)
        names[name] = None
    if not 1 <= len(names) <= _MOST_HYPERPARAMETERS:
        text = f"a space needs at least one hyperparameter, at most {_MOST_HYPERPARAMETERS}, got {len(names) or 'none'}"
        raise ConfigError(text, "change what stands under 'hyperparameters'")
    check_constraints(data, {item["name"]: item for item in items_of(data, "hyperparameters")})


def extended(data: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what ``data`` holds on top of ``base``: a hyperparameter of the same name takes the place of the other.

    Args:
        data: The plain values in a file, with the key ``extends``.
        base: Those of the space that it names.

    Raises:
        ConfigError: if ``data`` has other values where lists must be.
    """
    own = {check_name(item, n): item for n, item in enumerate(items_of(data, "hyperparameters"), start=1)}
    taken = [own.pop(item["name"], item) for item in items_of(base, "hyperparameters")]
    rest = {key: value for key, value in data.items() if key not in ("extends", "hyperparameters")}
    lists = {key: [*items_of(base, key), *items_of(data, key)] for key in ("conditions", "forbiddens")}
    return {**rest, "hyperparameters": taken + list(own.values()), **{k: v for k, v in lists.items() if v}}


def check_name(item: Mapping[str, Any], number: int, names: Collection[str] = ()) -> str:
    """Returns the name of a hyperparameter.

    Args:
        item: Of a file's list.
        number: Its place there, from 1.
        names: Those that are taken.

    Raises:
        ConfigError: if it has none, one that is no text, or one of another.
    """
    name = item.get("name")
    if not isinstance(name, str) or not name or not _is_usable(name):
        text = f"hyperparameter number {number} needs a name that is text, got {shown(name)}"
        raise ConfigError(text, "add 'name: ...'")
    if name in names:
        raise ConfigError(f"the hyperparameter {shown(name)} stands twice", "remove or rename one of the two")
    return name


def _check_hyperparameter(what: str, item: Mapping[str, Any]) -> None:
    kind = check_type(what, item, _HYPERPARAMETERS)
    needed, optional = _HYPERPARAMETERS[kind]
    check_keys(what, item, needed, {"type", "name", "meta"} | needed | optional)
    if not isinstance(item.get("meta") or {}, Mapping):
        raise ConfigError(
            f"meta of {what} must be a mapping, got {shown(item['meta'])}", "write meta: {unit: ..., source: ...}"
        )
    if needed >= _RANGE:
        _check_range(what, item, integers=kind.endswith("_int"))
    elif kind != "constant":
        _check_values(what, item, "choices" if kind == "categorical" else "sequence")
    else:
        _check_plain(what, "value", item["value"])


def _check_range(what: str, item: Mapping[str, Any], *, integers: bool) -> None:
    default = item.get("default_value")
    numbers = {key: value for key, value in item.items() if key in _RANGE | {"mu", "sigma", "alpha", "beta"}}
    numbers |= {} if default is None else {"default_value": default}
    for key, value in numbers.items():
        _check_number(what, key, value, integer=integers and key in _RANGE | {"default_value"})
    log = item.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"log of {what} must be true or false, got {shown(log)}", "write log: true")
    lower, upper = item["lower"], item["upper"]
    if not lower < upper:
        raise ConfigError(f"{what} has lower {lower!r} and upper {upper!r}; lower must be below upper", "swap or widen")
    if log and lower <= 0:
        raise ConfigError(f"{what} is on a log scale, so lower must be above 0, got {lower!r}", "raise it or drop log")
    if log and not integers and lower < LEAST_LOG:
        text = f"lower of {what} is {lower!r}; allowed on a log scale: {LEAST_LOG:g} or more, for 13 decimals"
        raise ConfigError(text, "give it in another unit")
    if not integers and upper - lower < LEAST_WIDTH and not log:
        text = f"{what} goes from {lower!r} to {upper!r}; allowed: a width of {LEAST_WIDTH:g} or more, as numbers have "
        raise ConfigError(f"{text}13 decimals", "give it in another unit")
    if default is not None and not lower <= default <= upper:
        text = f"default_value of {what} is {default!r}; allowed: {lower!r} to {upper!r}"
        raise ConfigError(text, "move it into the range")
    _check_shape(what, item, log)


def _check_shape(what: str, item: Mapping[str, Any], log: bool) -> None:
    """Checks what a range has that is not drawn from evenly."""
    if item.get("sigma", 1) <= 0:
        raise ConfigError(f"sigma of {what} must be above 0, got {item['sigma']!r}", "give a standard deviation")
    if log and item.get("mu", 1) <= 0:
        raise ConfigError(f"{what} is on a log scale, so mu must be above 0, got {item['mu']!r}", "raise it")
    for key in ("alpha", "beta"):
        if item.get(key, 1) < 1:
            raise ConfigError(f"{key} of {what} must be 1 or more, got {item[key]!r}", "raise it")


def _check_number(what: str, key: str, value: Any, *, integer: bool) -> None:
    kind = int if integer else (int, float)
    if not isinstance(value, kind) or isinstance(value, bool) or value != value:
        wanted = "an integer" if integer else "a finite number"
        text = f"{key} of {what} must be {wanted}, got {shown(value)}"
        raise ConfigError(text, "write it without quotes, e.g. 1.0e-3 or 16")
    most = MOST_WHOLE if integer else MOST_FLOAT
    if not -most <= value <= most:
        text = f"{key} of {what} is {shown(value)}; allowed: {-most:g} to {most:g}"
        raise ConfigError(text, "give it in another unit")
    if not integer and abs(round(value, _DECIMALS) - value) > _PRECISE * abs(value):
        text = f"{key} of {what} is {value!r}, of which 13 decimals would leave {round(value, _DECIMALS)!r}"
        raise ConfigError(text, "give it in another unit")


def _check_values(what: str, item: Mapping[str, Any], key: str) -> None:
    values = item[key]
    if not isinstance(values, list) or not 1 <= len(values) <= _MOST_CHOICES:
        text = f"{key} of {what} must be a list of values, at most {_MOST_CHOICES}, got {shown(values)}"
        raise ConfigError(text, f"write {key}: [a, b]")
    for value in values:
        _check_plain(what, key, value)
    if len(set(values)) < len(values):
        twice = next(value for number, value in enumerate(values) if value in values[:number])
        same = " and ".join(repr(value) for value in values if value == twice)
        text = f"{key} of {what} are not distinct: {shown(values)}"
        raise ConfigError(text, f"remove one of {same[:200]}, which are equal")
    default = item.get("default_value")
    if "default_value" in item and not any(is_same(default, value) for value in values):
        text = f"default_value of {what} is {shown(default)}; allowed: {shown(values)}"
        raise ConfigError(text, "choose one of them")
    if (weights := item.get("weights")) is not None:
        _check_weights(what, weights, len(values))


def _check_weights(what: str, weights: Any, n: int) -> None:
    def fits(weight: Any) -> bool:
        return isinstance(weight, int | float) and not isinstance(weight, bool) and 0 <= weight <= MOST_FLOAT

    if not isinstance(weights, list) or len(weights) != n or not all(map(fits, weights)) or not sum(weights) > 0:
        text = f"weights of {what} must be {n} numbers, 0 or more and not all 0, got {shown(weights)}"
        raise ConfigError(text, "write one for each choice")


def _check_plain(what: str, key: str, value: Any) -> None:
    if not isinstance(value, str | int | float | bool):
        text = f"{key} of {what} must be text, numbers, true or false, got {shown(value)}"
        raise ConfigError(text, "write a plain value")
    if isinstance(value, str) and not _is_usable(value):
        text = f"{key} of {what} must be text without control characters, at most {_MOST_CHARACTERS} characters"
        raise ConfigError(f"{text}, got {shown(value)}", "write another text")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key} of {what} must be finite, got {value!r}", "write another number")
    if isinstance(value, int) and abs(value) > _MOST_INTEGER:
        raise ConfigError(f"{key} of {what} is {shown(value)}; allowed: up to {_MOST_INTEGER}", "write it as text")


def _is_usable(text: str) -> bool:
    """Returns whether a text can be written, compared and printed by everything that it passes through."""
    return len(text) <= _MOST_CHARACTERS and is_harmless(text)
