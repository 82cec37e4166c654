"""The grammar of what a space file says between hyperparameters: conditions and forbidden clauses.

A condition says when its child is active; one on a parent that is inactive never holds, ``NEQ`` included. A clause
forbids values that stand together; one on a hyperparameter that is inactive forbids nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.wording import shown

# Type of a condition: keys it must have. AND and OR repeat the child of their parts when ConfigSpace wrote them.
_CONDITIONS: dict[str, set[str]] = {
    **{kind: {"child", "parent", "value"} for kind in ("EQ", "NEQ", "LT", "GT")},
    "IN": {"child", "parent", "values"},
    **{kind: {"conditions"} for kind in ("AND", "OR")},
}
# Type of a forbidden clause: keys it must have. RELATION is how ConfigSpace wrote relations before 1.0.
_FORBIDDENS: dict[str, set[str]] = {
    **{kind: {"name", "value"} for kind in ("EQUALS", "CLAUSE_LT", "CLAUSE_LE", "CLAUSE_GT", "CLAUSE_GE")},
    "IN": {"name", "values"},
    **{kind: {"clauses"} for kind in ("AND", "OR")},
    **{f"RELATION_{order}": {"left", "right"} for order in ("LT", "LE", "EQ", "GT", "GE")},
    "RELATION": {"left", "right", "lambda"},
}
_ORDERED = ("LT", "GT", "CLAUSE_LT", "CLAUSE_LE", "CLAUSE_GT", "CLAUSE_GE")
_DEEPEST = 20  # conditions within conditions

Items = Mapping[str, Mapping[str, Any]]


def check_constraints(data: Mapping[str, Any], hyperparameters: Items) -> None:
    """Checks the conditions and forbidden clauses of a space.

    Args:
        data: The plain values in its file.
        hyperparameters: Those in it, which are right each by itself, by name.

    Raises:
        ConfigError: for the first thing that ConfigSpace could not take; names the condition or clause.
    """
    for item in items_of(data, "conditions"):
        _check_condition(item, hyperparameters, 1)
    for item in items_of(data, "forbiddens"):
        _check_forbidden(item, hyperparameters, 1)


def items_of(data: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Returns a list of mappings; an empty one where there is nothing.

    Raises:
        ConfigError: if it is something else.
    """
    items = data.get(key)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        text = f"{shown(key)} must be a list of mappings, got {shown(items)}"
        raise ConfigError(text, "start each entry with '- name: ...'")
    return items


def check_keys(what: str, data: Mapping[str, Any], needed: Collection[str], allowed: Collection[str]) -> None:
    """Checks that a mapping has all keys that it needs and no others than are allowed.

    Raises:
        ConfigError: for the first that is not.
    """
    for key in data:
        if key not in allowed:
            raise unknown_name(f"key in {what}:", str(key), allowed)
    missing = sorted(set(needed) - set(data))
    if missing:
        text = f"{what} lacks {', '.join(missing)}; it has {', '.join(map(str, data))}"
        raise ConfigError(text, "add what is missing")


def check_type(what: str, item: Mapping[str, Any], types: Mapping[str, Any]) -> str:
    """Returns the type of an entry.

    Raises:
        ConfigError: if it has none, or one that is unknown.
    """
    if "type" not in item:
        raise ConfigError(f"{what} needs a type; allowed: {', '.join(sorted(types))}", "add 'type: ...'")
    kind = str(item["type"])
    if kind not in types:
        raise unknown_name(f"type of {what}:", kind, types)
    return kind


def is_same(value: Any, other: Any) -> bool:
    """Returns whether two plain values mean the same: 1 and 1.0 do, 1 and true do not."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _check_condition(item: Mapping[str, Any], hyperparameters: Items, depth: int) -> str:
    """Returns the child of a condition."""
    what = f"condition on {shown(item['child'])}" if "child" in item else "condition"
    kind = check_type(what, item, _CONDITIONS)
    needed = _CONDITIONS[kind]
    check_keys(what, item, needed, {"type", "child"} | needed)
    _check_names(what, item, ("child", "parent"), hyperparameters)
    if "conditions" in needed:
        parts = _parts(what, item, "conditions", 2, depth)
        children = {_check_condition(part, hyperparameters, depth + 1) for part in parts}
        children |= {item["child"]} if "child" in item else set()
        if len(children) > 1:
            text = f"a {kind} of conditions must be on one child, got {', '.join(sorted(children))}"
            raise ConfigError(text, "write a condition for each child")
        return str(children.pop())
    if item["child"] == item["parent"]:
        raise ConfigError(f"{what} depends on itself", "name another parent")
    _check_values(what, kind, item, hyperparameters[item["parent"]])
    return str(item["child"])


def _check_forbidden(item: Mapping[str, Any], hyperparameters: Items, depth: int) -> None:
    what = "forbidden clause"
    kind = check_type(what, item, _FORBIDDENS)
    check_keys(what, item, _FORBIDDENS[kind], {"type"} | _FORBIDDENS[kind])
    _check_names(what, item, ("name", "left", "right"), hyperparameters)
    if "clauses" in _FORBIDDENS[kind]:
        for part in _parts(what, item, "clauses", 1, depth):
            _check_forbidden(part, hyperparameters, depth + 1)
    elif "name" in item:
        _check_values(what, kind, item, hyperparameters[item["name"]])
    else:
        _check_relation(item, *(hyperparameters[item[side]] for side in ("left", "right")))


def _parts(what: str, item: Mapping[str, Any], key: str, fewest: int, depth: int) -> Sequence[Mapping[str, Any]]:
    parts = items_of(item, key)
    if len(parts) < fewest:
        raise ConfigError(f"{what} of type {item['type']} has {len(parts)} parts; allowed: {fewest} or more", "add one")
    if depth == _DEEPEST:
        raise ConfigError(f"{what} is nested deeper than {_DEEPEST} levels", "write it flatter")
    return parts


def _check_names(what: str, item: Mapping[str, Any], roles: Collection[str], hyperparameters: Items) -> None:
    for role in roles:
        if role in item and not (isinstance(item[role], str) and item[role] in hyperparameters):
            raise unknown_name(f"{role} in the {what}:", str(item[role]), hyperparameters)


def _check_values(what: str, kind: str, item: Mapping[str, Any], of: Mapping[str, Any]) -> None:
    """Checks that a hyperparameter can have the values that something depends on."""
    if kind in _ORDERED and of["type"] in ("categorical", "constant"):
        text = f"{what} compares {shown(of['name'])} by {kind}, and a {of['type']} hyperparameter has no order"
        raise ConfigError(text, "use EQ, IN or EQUALS, or make it ordinal")
    values = item["values"] if "values" in item else [item["value"]]
    if not isinstance(values, list | tuple) or not values:
        raise ConfigError(f"values of the {what} must be a list, got {shown(values)}", "write values: [a, b]")
    for value in values:
        if not _takes(of, value):
            text = f"{what} depends on {shown(value)}, which {shown(of['name'])} cannot be; allowed: {_allowed(of)}"
            raise ConfigError(text, "name a value that it can have")


def _takes(of: Mapping[str, Any], value: Any) -> bool:
    if "lower" not in of:
        return any(is_same(value, choice) for choice in _choices(of))
    whole = of["type"].endswith("_int")
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    return bool(of["lower"] <= value <= of["upper"])


def _choices(of: Mapping[str, Any]) -> Sequence[Any]:
    found: Sequence[Any] = of.get("choices") or of.get("sequence") or [of["value"]]
    return found


def _allowed(of: Mapping[str, Any]) -> str:
    return f"{of['lower']!r} to {of['upper']!r}" if "lower" in of else shown(list(_choices(of)))


def _check_relation(item: Mapping[str, Any], left: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    if item["type"] == "RELATION" and item["lambda"] not in ("LT", "EQ", "GT"):
        raise unknown_name("lambda in the forbidden clause:", str(item["lambda"]), ("LT", "EQ", "GT"))
    if item["type"] == "RELATION_EQ" or item.get("lambda") == "EQ":
        return
    texts = {isinstance(v, str) for of in (left, right) if "lower" not in of for v in _choices(of)}
    texts |= {False} if "lower" in left or "lower" in right else set()
    if len(texts) > 1:
        text = f"a forbidden clause compares {shown(left['name'])} with {shown(right['name'])}, text with numbers"
        raise ConfigError(text, "compare what has an order in common")
