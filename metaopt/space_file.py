"""The grammar of a space file, checked before ConfigSpace reads it, because what that says is no help to a user.

The format is ConfigSpace's own: ``name``, ``hyperparameters``, ``conditions``, ``forbiddens``; and ``extends``, the
name of a shipped space that is taken over but for what the file itself says.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from metaopt.errors import ConfigError, unknown_name
from metaopt.wording import shown

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
# Type of a condition: keys it must have. AND and OR repeat the child of their parts when ConfigSpace wrote them.
_CONDITIONS: dict[str, set[str]] = {
    **{kind: {"child", "parent", "value"} for kind in ("EQ", "NEQ", "LT", "GT")},
    "IN": {"child", "parent", "values"},
    **{kind: {"conditions"} for kind in ("AND", "OR")},
}


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
    _check_keys("the space file", data, {"hyperparameters"}, _TOP)
    names: list[str] = []
    for number, item in enumerate(_items(data, "hyperparameters"), start=1):
        name = _check_name(item, number, names)
        _check_hyperparameter(f"hyperparameter {shown(name)}", item)
        names.append(name)
    if not names:
        raise ConfigError("a space needs at least one hyperparameter, got none", "add one under 'hyperparameters'")
    for item in _items(data, "conditions"):
        _check_condition(item, names)
    for item in _items(data, "forbiddens"):
        _check_forbidden(item, names)


def extended(data: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what ``data`` holds on top of ``base``: a hyperparameter of the same name takes the place of the other.

    Args:
        data: The plain values in a file, with the key ``extends``.
        base: Those of the space that it names.

    Raises:
        ConfigError: if ``data`` has lists that are none.
    """
    own = {item.get("name"): item for item in _items(data, "hyperparameters")}
    taken = [own.pop(item["name"], item) for item in _items(base, "hyperparameters")]
    rest = {key: value for key, value in data.items() if key not in ("extends", "hyperparameters")}
    lists = {key: [*_items(base, key), *_items(data, key)] for key in ("conditions", "forbiddens")}
    return {**rest, "hyperparameters": taken + list(own.values()), **{k: v for k, v in lists.items() if v}}


def _items(data: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    items = data.get(key) or []
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ConfigError(
            f"{shown(key)} must be a list of mappings, got {shown(items)}", "start each entry with '- name: ...'"
        )
    return items


def _check_keys(what: str, data: Mapping[str, Any], needed: Collection[str], allowed: Collection[str]) -> None:
    for key in data:
        if key not in allowed:
            raise unknown_name(f"key in {what}:", str(key), allowed)
    missing = sorted(set(needed) - set(data))
    if missing:
        raise ConfigError(
            f"{what} lacks {', '.join(missing)}; it has {', '.join(map(str, data))}", "add what is missing"
        )


def _check_name(item: Mapping[str, Any], number: int, names: Collection[str]) -> str:
    name = item.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(
            f"hyperparameter number {number} needs a name that is text, got {shown(name)}", "add 'name: ...'"
        )
    if name in names:
        raise ConfigError(f"the hyperparameter {shown(name)} stands twice", "remove or rename one of the two")
    return name


def _check_hyperparameter(what: str, item: Mapping[str, Any]) -> None:
    kind = _check_type(what, item, _HYPERPARAMETERS)
    needed, optional = _HYPERPARAMETERS[kind]
    _check_keys(what, item, needed, {"type", "name", "meta"} | needed | optional)
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


def _check_type(what: str, item: Mapping[str, Any], types: Mapping[str, Any]) -> str:
    if "type" not in item:
        raise ConfigError(f"{what} needs a type; allowed: {', '.join(sorted(types))}", "add 'type: ...'")
    kind = str(item["type"])
    if kind not in types:
        raise unknown_name(f"type of {what}:", kind, types)
    return kind


def _check_range(what: str, item: Mapping[str, Any], *, integers: bool) -> None:
    default = item.get("default_value")
    numbers = {key: value for key, value in item.items() if key in _RANGE | {"mu", "sigma", "alpha", "beta"}}
    numbers |= {} if default is None else {"default_value": default}
    for key, value in numbers.items():
        _check_number(what, key, value, integer=integers and key in _RANGE | {"default_value"})
    log = item.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"log of {what} must be true or false, got {shown(log)}", "write log: true")
    if item.get("sigma", 1) <= 0:
        raise ConfigError(f"sigma of {what} must be above 0, got {shown(item['sigma'])}", "give a standard deviation")
    lower, upper = item["lower"], item["upper"]
    if not lower < upper:
        raise ConfigError(
            f"{what} has lower {shown(lower)} and upper {shown(upper)}; lower must be below upper", "swap or widen"
        )
    if log and lower <= 0:
        raise ConfigError(
            f"{what} is on a log scale, so lower must be above 0, got {shown(lower)}", "raise it or drop log"
        )
    if default is not None and not lower <= default <= upper:
        raise ConfigError(
            f"default_value of {what} is {shown(default)}; allowed: {shown(lower)} to {shown(upper)}",
            "move it into the range",
        )


def _check_number(what: str, key: str, value: Any, *, integer: bool) -> None:
    allowed = int if integer else (int, float)
    if not isinstance(value, allowed) or isinstance(value, bool) or not math.isfinite(value):
        kind = "an integer" if integer else "a finite number"
        raise ConfigError(
            f"{key} of {what} must be {kind}, got {shown(value)}", "write it without quotes, e.g. 1.0e-3 or 16"
        )


def _check_values(what: str, item: Mapping[str, Any], key: str) -> None:
    values = item[key]
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{key} of {what} must be a list of values, got {shown(values)}", f"write {key}: [a, b]")
    for value in values:
        _check_plain(what, key, value)
    if len(set(values)) < len(values):
        raise ConfigError(f"{key} of {what} are not distinct: {shown(values)}", "remove what stands twice")
    if "default_value" in item and item["default_value"] not in values:
        raise ConfigError(
            f"default_value of {what} is {shown(item['default_value'])}; allowed: {shown(values)}", "choose one of them"
        )


def _check_plain(what: str, key: str, value: Any) -> None:
    if not isinstance(value, (str, int, float, bool)):
        raise ConfigError(
            f"{key} of {what} must be text, numbers, true or false, got {shown(value)}", "write a plain value"
        )


def _check_condition(item: Mapping[str, Any], names: Collection[str]) -> None:
    what = f"condition on {shown(item['child'])}" if "child" in item else "condition"
    needed = _CONDITIONS[_check_type(what, item, _CONDITIONS)]
    _check_keys(what, item, needed, {"type", "child"} | needed)
    _check_names(what, item, ("child", "parent"), names)
    if "conditions" in needed:
        for part in _items(item, "conditions"):
            _check_condition(part, names)


def _check_forbidden(item: Mapping[str, Any], names: Collection[str]) -> None:
    _check_names("forbidden clause", item, ("name", "left", "right"), names)
    for part in _items(item, "clauses"):
        _check_forbidden(part, names)


def _check_names(what: str, item: Mapping[str, Any], roles: Collection[str], names: Collection[str]) -> None:
    for role in roles:
        if role in item and item[role] not in names:
            raise unknown_name(f"{role} in the {what}:", str(item[role]), names)
