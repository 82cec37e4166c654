from __future__ import annotations

from typing import Any

import pytest

from metaopt.core.errors import ConfigError
from metaopt.spaces.constraints import check_constraints, is_same

RATE = {"name": "rate", "type": "uniform_float", "lower": 0.1, "upper": 1.0}
COUNT = {"name": "n", "type": "uniform_int", "lower": 1, "upper": 4}
GATE = {"name": "gate", "type": "categorical", "choices": ["x", "y"]}
FLAG = {"name": "flag", "type": "categorical", "choices": [True, 2.5]}
SIZE = {"name": "size", "type": "ordinal", "sequence": [8, 16]}
FIXED = {"name": "fixed", "type": "constant", "value": 3}
ALL = {str(item["name"]): item for item in (RATE, COUNT, GATE, FLAG, SIZE, FIXED)}


def condition(kind: str, parent: str, value: Any = None, child: str = "rate") -> dict[str, Any]:
    return {"type": kind, "child": child, "parent": parent, "values" if kind == "IN" else "value": value}


def clause(kind: str, name: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "values" if kind == "IN" else "value": value}


def relation(kind: str, left: str, right: str) -> dict[str, Any]:
    return {"type": f"RELATION_{kind}", "left": left, "right": right}


def nested(depth: int) -> dict[str, Any]:
    part = condition("EQ", "gate", "x")
    return {"type": "AND", "conditions": [nested(depth - 1), part]} if depth else part


@pytest.mark.parametrize(
    "one",
    [
        condition("EQ", "gate", "x"),
        condition("NEQ", "flag", True),
        condition("LT", "n", 3),
        condition("GT", "size", 8),
        condition("IN", "size", [8, 16]),
        condition("EQ", "fixed", 3),
        nested(10),
        {"type": "OR", "child": "rate", "conditions": [condition("EQ", "gate", "x"), condition("EQ", "n", 2)]},
    ],
)
def test_takes_conditions(one: Any) -> None:
    check_constraints({"conditions": [one]}, ALL)


@pytest.mark.parametrize(
    "one",
    [
        clause("EQUALS", "gate", "x"),
        clause("IN", "n", [1, 2]),
        clause("CLAUSE_GE", "rate", 0.5),
        clause("CLAUSE_LT", "size", 16),
        relation("LT", "rate", "n"),
        relation("GE", "size", "flag"),
        relation("EQ", "gate", "n"),
        {"type": "RELATION", "left": "rate", "right": "n", "lambda": "LT"},
        {"type": "OR", "clauses": [clause("EQUALS", "gate", "x"), relation("LT", "rate", "n")]},
    ],
)
def test_takes_clauses(one: Any) -> None:
    check_constraints({"forbiddens": [one]}, ALL)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (condition("EQ", "gate", "z"), r"depends on 'z', which 'gate' cannot be; allowed: \['x', 'y'\]"),
        (condition("EQ", "flag", 1), "depends on 1, which 'flag' cannot be"),
        (condition("EQ", "n", True), "depends on True, which 'n' cannot be; allowed: 1 to 4"),
        (condition("EQ", "n", 2.0), "depends on 2.0, which 'n' cannot be"),
        (condition("EQ", "n", 9), "depends on 9, which 'n' cannot be"),
        (condition("EQ", "n", [1]), r"depends on \[1\], which 'n' cannot be"),
        (condition("EQ", "fixed", 4), r"depends on 4, which 'fixed' cannot be; allowed: \[3\]"),
        (condition("IN", "n", 3), "values of the condition on 'rate' must be a list, got 3"),
        (condition("IN", "n", []), "must be a list"),
        (condition("LT", "gate", "x"), "compares 'gate' by LT, and a categorical hyperparameter has no order"),
        (condition("GT", "fixed", 3), "a constant hyperparameter has no order"),
        (condition("EQ", "rate", 0.5), "condition on 'rate' depends on itself"),
        (condition("EQ", "gat", "x"), "unknown parent in the condition on 'rate': 'gat'; did you mean 'gate'"),
        ({**condition("EQ", "gate", "x"), "parent": ["gate"]}, "unknown parent"),
        ({"type": "AND", "conditions": [condition("EQ", "gate", "x")]}, "has 1 parts; allowed: 2 or more"),
        (
            {"type": "OR", "conditions": [condition("EQ", "gate", "x"), condition("EQ", "gate", "x", child="n")]},
            "a OR of conditions must be on one child, got n, rate",
        ),
        (nested(25), "nested deeper than 20 levels"),
        ({"type": "NOT", "child": "rate"}, "unknown type of condition on 'rate': 'NOT'"),
    ],
)  # fmt: skip
def test_refuses_conditions(one: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_constraints({"conditions": [one]}, ALL)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (clause("EQUALS", "gate", 1), "forbidden clause depends on 1, which 'gate' cannot be"),
        (clause("CLAUSE_GT", "gate", "x"), "compares 'gate' by CLAUSE_GT"),
        (relation("LT", "gate", "n"), "compares 'gate' with 'n', text with numbers"),
        (relation("LT", "gates", "n"), "unknown left in the forbidden clause: 'gates'"),
        ({"type": "EQUALS", "name": "gate"}, "forbidden clause lacks value"),
        ({"type": "AND", "clauses": []}, "has 0 parts; allowed: 1 or more"),
        ({"type": "RELATION", "left": "n", "right": "n", "lambda": "XX"}, "unknown lambda"),
        ({"name": "gate", "value": "x"}, "forbidden clause needs a type"),
    ],
)
def test_refuses_clauses(one: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_constraints({"forbiddens": [one]}, ALL)


def test_the_same_is_of_the_same_kind() -> None:
    assert is_same(1, 1.0)
    assert not is_same(1, True)
    assert not is_same("1", 1)
