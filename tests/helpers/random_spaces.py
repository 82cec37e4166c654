"""Random spaces, in the format of a space file, and what such a file says, worked out without ConfigSpace."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Item = dict[str, Any]

_NAMES = ["b", "a", "rate", "x y", "Ä", "0", "c", "zz"]
_FLOATS = [-1e6, -5.0, 0.0, 1e-12, 1e-9, 1e-5, 0.1, 1 / 3, 1.0, 9.9, 100.1, 1234.5678, 1e6, 500617.2839, 1e15, 1e50]
_WHOLE = [-(10**12), -7, 0, 1, 2, 3, 10, 128, 1000, 10**6, 10**9, 10**12]
_PLAIN: list[Any] = [0, 1, 2, 96, 0.5, 2.5, 1.0, True, False, "x", "y", "1", "0.5", "true", "0,1", "", 1e-14, 2**62, -3]
_ORDER = {"LT": operator.lt, "LE": operator.le, "GT": operator.gt, "GE": operator.ge, "EQ": operator.eq}


@st.composite
def spaces(draw: st.DrawFn) -> dict[str, Any]:
    """Draws a space of 1 to 6 hyperparameters; most are legal."""
    names = draw(st.permutations(_NAMES))[: draw(st.integers(1, 6))]
    hyperparameters = [_hyperparameter(draw, name) for name in names]
    conditions = [
        _condition(draw, item["name"], hyperparameters[:place], 2)
        for place, item in enumerate(hyperparameters)
        if place and draw(st.booleans())
    ]
    forbiddens = [_clause(draw, hyperparameters, 2) for _ in range(draw(st.sampled_from([0, 0, 1, 2])))]
    order = draw(st.permutations(hyperparameters))
    return {"name": "random", "hyperparameters": list(order), "conditions": conditions, "forbiddens": forbiddens}


def _hyperparameter(draw: st.DrawFn, name: str) -> Item:
    kinds = ["uniform_float", "uniform_float", "uniform_int", "uniform_int", "categorical", "categorical", "ordinal"]
    kind = draw(st.sampled_from([*kinds, "constant", "normal_float", "normal_int", "beta_float", "beta_int"]))
    item: Item = {"name": name, "type": kind}
    if kind == "constant":
        return {**item, "value": draw(st.sampled_from(_PLAIN))}
    if kind in ("categorical", "ordinal"):
        values = draw(st.lists(st.sampled_from(_PLAIN), min_size=1, max_size=4, unique_by=lambda v: v))
        item["choices" if kind == "categorical" else "sequence"] = values
        if draw(st.booleans()):
            item["default_value"] = draw(st.sampled_from(values))
        if kind == "categorical" and draw(st.integers(0, 3)) == 0:
            item["weights"] = [draw(st.integers(0, 3)) + 0.5 for _ in values]
        return item
    numbers: list[Any] = _WHOLE if kind.endswith("_int") else _FLOATS
    lower, upper = sorted(draw(st.lists(st.sampled_from(numbers), min_size=2, max_size=2, unique=True)))
    item |= {"lower": lower, "upper": upper, "log": lower > 0 and draw(st.booleans())}
    if kind.startswith("normal"):
        item |= {"mu": draw(st.sampled_from([lower, upper])), "sigma": draw(st.sampled_from([0.1, 1.0, 3]))}
    if kind.startswith("beta"):
        item |= {"alpha": draw(st.sampled_from([1, 2.5])), "beta": draw(st.sampled_from([1, 4]))}
    if draw(st.booleans()):
        item["default_value"] = _value(draw, item)
    return item


def _value(draw: st.DrawFn, item: Item) -> Any:
    if "lower" not in item:
        return draw(st.sampled_from(choices(item)))
    lower, upper = item["lower"], item["upper"]
    middle = (lower + upper) // 2 if item["type"].endswith("_int") else lower / 2 + upper / 2
    return draw(st.sampled_from([lower, upper, middle]))


def _condition(draw: st.DrawFn, child: str, above: list[Item], depth: int) -> Item:
    if depth and draw(st.integers(0, 3)) == 0:
        parts = [_condition(draw, child, above, depth - 1) for _ in range(draw(st.integers(2, 3)))]
        return {"type": draw(st.sampled_from(["AND", "OR"])), "conditions": parts}
    parent = draw(st.sampled_from(above))
    ordered = ["LT", "GT"] if "lower" in parent or "sequence" in parent else []
    kind = draw(st.sampled_from(["EQ", "NEQ", "NEQ", "IN", *ordered]))
    base = {"type": kind, "child": child, "parent": parent["name"]}
    if kind == "IN":
        return {**base, "values": [_value(draw, parent) for _ in range(draw(st.integers(1, 2)))]}
    return {**base, "value": _value(draw, parent)}


def _clause(draw: st.DrawFn, hyperparameters: list[Item], depth: int) -> Item:
    if depth and draw(st.integers(0, 2)) == 0:
        parts = [_clause(draw, hyperparameters, depth - 1) for _ in range(draw(st.integers(1, 2)))]
        return {"type": draw(st.sampled_from(["AND", "OR"])), "clauses": parts}
    one = draw(st.sampled_from(hyperparameters))
    if draw(st.integers(0, 3)) == 0:
        other = draw(st.sampled_from(hyperparameters))
        return {"type": f"RELATION_{draw(st.sampled_from(list(_ORDER)))}", "left": one["name"], "right": other["name"]}
    ordered = [f"CLAUSE_{order}" for order in ("LT", "LE", "GT", "GE")]
    kind = draw(st.sampled_from(["EQUALS", "IN", *(ordered if "lower" in one or "sequence" in one else [])]))
    if kind == "IN":
        return {"type": kind, "name": one["name"], "values": [_value(draw, one)]}
    return {"type": kind, "name": one["name"], "value": _value(draw, one)}


def choices(item: Item) -> list[Any]:
    """Returns the values of a hyperparameter that has a list of them."""
    found: list[Any] = item.get("choices") or item.get("sequence") or [item["value"]]
    return found


class TooNearError(Exception):
    """Two numbers differ by no more than rounding; which of them is the larger one is not for a file to say."""


def what_is_wrong(data: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Returns why a configuration is none of the space, by what the file says; empty if it is one, or nearly one."""
    try:
        return _what_is_wrong(data, config)
    except TooNearError:
        return ""


def _what_is_wrong(data: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    items = {item["name"]: item for item in data["hyperparameters"]}
    conditions = {_child(condition): condition for condition in data["conditions"]}

    def is_active(name: str) -> bool:
        return name not in conditions or _holds(conditions[name], items, config, is_active)

    for name, item in items.items():
        if is_active(name) != (name in config):
            return f"{name} is {'not ' * (name not in config)}there"
        if name in config and not _fits(item, config[name]):
            return f"{name} is {config[name]!r}"
    forbidden = [clause for clause in data["forbiddens"] if _forbids(clause, items, config)]
    return f"it is forbidden by {forbidden[0]}" if forbidden else ""


def _child(condition: Item) -> str:
    return condition["child"] if "child" in condition else _child(condition["conditions"][0])


def _fits(item: Item, value: Any) -> bool:
    if "lower" not in item:
        return any(type(value) is type(choice) and value == choice for choice in choices(item))
    if item["type"].endswith("_int"):
        return type(value) is int and item["lower"] <= value <= item["upper"]
    near = 1e-13 + 1e-12 * (abs(item["lower"]) + abs(item["upper"]))
    return type(value) is float and item["lower"] - near <= value <= item["upper"] + near


def _holds(condition: Item, items: Mapping[str, Item], config: Mapping[str, Any], is_active: Any) -> bool:
    if "conditions" in condition:
        held = [_holds(part, items, config, is_active) for part in condition["conditions"]]
        return all(held) if condition["type"] == "AND" else any(held)
    parent = condition["parent"]
    if not is_active(parent):
        return False
    if condition["type"] in ("EQ", "IN"):
        return any(
            _compare(items[parent], config[parent], v, "EQ") for v in condition.get("values", [condition.get("value")])
        )
    if condition["type"] == "NEQ":
        return not _compare(items[parent], config[parent], condition["value"], "EQ")
    return _compare(items[parent], config[parent], condition["value"], condition["type"])


def _compare(item: Item, value: Any, other: Any, order: str) -> bool:
    if "sequence" in item:
        return bool(_ORDER[order](item["sequence"].index(value), item["sequence"].index(other)))
    if item["type"].endswith("_float") and value != other:
        near = 1e-13 + 1e-12 * (item["upper"] - item["lower"])
        if math.isclose(value, other, rel_tol=1e-12, abs_tol=near):
            raise TooNearError
    return bool(_ORDER[order](value, other))


def _forbids(clause: Item, items: Mapping[str, Item], config: Mapping[str, Any]) -> bool:
    if "clauses" in clause:
        held = [_forbids(part, items, config) for part in clause["clauses"]]
        return all(held) if clause["type"] == "AND" else any(held)
    if "left" in clause:
        left, right = clause["left"], clause["right"]
        order = _ORDER[clause["type"].removeprefix("RELATION_")]
        return left in config and right in config and bool(order(config[left], config[right]))
    name = clause["name"]
    if name not in config:
        return False
    order = "EQ" if clause["type"] in ("EQUALS", "IN") else clause["type"].removeprefix("CLAUSE_")
    values = clause["values"] if "values" in clause else [clause["value"]]
    return any(_compare(items[name], config[name], value, order) for value in values)
