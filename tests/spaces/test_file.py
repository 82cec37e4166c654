from __future__ import annotations

from typing import Any

import pytest

from metaopt.core.errors import ConfigError
from metaopt.spaces.file import check_space_file, extended

RATE = {"name": "rate", "type": "uniform_float", "lower": 0.1, "upper": 1.0}
GATE = {"name": "gate", "type": "categorical", "choices": ["x", "y"]}


def space(*hyperparameters: Any, **rest: Any) -> dict[str, Any]:
    return {"hyperparameters": list(hyperparameters), **rest}


def equals(**changes: Any) -> dict[str, Any]:
    return {"type": "EQ", "child": "rate", "parent": "gate", "value": "x", **changes}


@pytest.mark.parametrize(
    "data",
    [
        space(
            RATE, GATE, name="a", conditions=[equals()], forbiddens=[{"type": "EQUALS", "name": "gate", "value": "y"}]
        ),
        space(RATE, GATE, conditions=[{"type": "AND", "conditions": [equals(), equals(type="NEQ", value="y")]}]),
        space({"name": "k", "type": "constant", "value": 3, "meta": {"unit": "cells"}}),
        space({"name": "n", "type": "uniform_int", "lower": 1, "upper": 4, "log": True, "default_value": 2}),
        space({"name": "n", "type": "normal_float", "lower": 0, "upper": 4, "mu": 1, "sigma": 0.5}),
        space({"name": "o", "type": "ordinal", "sequence": [1, 2], "default_value": 2}, conditions=None),
    ],
)
def test_takes(data: Any) -> None:
    check_space_file(data)


def test_extended_keeps_the_order_and_replaces_by_name() -> None:
    base = space(RATE, GATE, conditions=[equals()])
    own = {"name": "mine", "extends": "base", "hyperparameters": [{**RATE, "lower": 0.5}, {**GATE, "name": "other"}]}
    merged = extended(own, base)
    assert [item["name"] for item in merged["hyperparameters"]] == ["rate", "gate", "other"]
    assert merged["hyperparameters"][0]["lower"] == 0.5
    assert merged["conditions"] == [equals()]
    assert merged["name"] == "mine"
    assert "extends" not in merged
    check_space_file(merged)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "needs the key 'hyperparameters'"),
        ([1], "needs the key 'hyperparameters'"),
        ({"hyperparameters": 3}, "'hyperparameters' must be a list of mappings, got 3"),
        (space(), "at least one hyperparameter"),
        (space(RATE, conditons=[]), "unknown key in the space file: 'conditons'; did you mean 'conditions'"),
        (space({"type": "constant", "value": 1}), "number 1 needs a name that is text, got None"),
        (space(RATE, RATE), "'rate' stands twice"),
        (space({"name": "rate"}), "'rate' needs a type; allowed: beta_float"),
        (
            space({**RATE, "type": "uniform"}),
            "unknown type of hyperparameter 'rate': 'uniform'; did you mean 'uniform_",
        ),
        (space({**RATE, "uper": 1.0}), "unknown key in hyperparameter 'rate': 'uper'; did you mean 'upper'"),
        (space({"name": "rate", "type": "uniform_float", "lower": 1}), "'rate' lacks upper; it has name, type, lower"),
        (space({**RATE, "lower": "1e-3"}), "lower of hyperparameter 'rate' must be a finite number, got '1e-3'"),
        (space({**RATE, "lower": float("nan")}), "must be a finite number, got nan"),
        (space({**RATE, "lower": False}), "must be a finite number, got False"),
        (space({**RATE, "type": "uniform_int"}), "lower of hyperparameter 'rate' must be an integer, got 0.1"),
        (space({**RATE, "log": "yes"}), "log of hyperparameter 'rate' must be true or false, got 'yes'"),
        (space({**RATE, "lower": 1.0}), "lower 1.0 and upper 1.0; lower must be below upper"),
        (space({**RATE, "lower": 0.0, "log": True}), "log scale, so lower must be above 0, got 0.0"),
        (space({**RATE, "default_value": 2.0}), "default_value of hyperparameter 'rate' is 2.0; allowed: 0.1 to 1.0"),
        (space({**RATE, "type": "normal_float", "mu": 0, "sigma": 0}), "sigma of .* must be above 0, got 0"),
        (space({**RATE, "meta": "epochs"}), "meta of hyperparameter 'rate' must be a mapping, got 'epochs'"),
        (space({**GATE, "choices": []}), "choices of hyperparameter 'gate' must be a list of values"),
        (space({**GATE, "choices": [[1]]}), "must be text, numbers, true or false, got \\[1\\]"),
        (space({**GATE, "choices": [True, True]}), "choices of hyperparameter 'gate' are not distinct"),
        (
            space({**GATE, "default_value": "z"}),
            "default_value of hyperparameter 'gate' is 'z'; allowed: \\['x', 'y'\\]",
        ),
        (space({"name": "k", "type": "constant", "value": None}), "value of hyperparameter 'k' must be text"),
        (space(RATE, GATE, conditions=[equals(parent="gat")]), "unknown parent in .*: 'gat'; did you mean 'gate'"),
        (space(RATE, GATE, conditions=[equals(child="rat")]), "unknown child in .*: 'rat'; did you mean 'rate'"),
        (space(RATE, GATE, conditions=[equals(type="IS")]), "unknown type of condition on 'rate': 'IS'"),
        (space(RATE, GATE, conditions=[equals(values=[1])]), "unknown key in condition on 'rate': 'values'"),
        (
            space(RATE, GATE, conditions=[{"type": "OR", "conditions": [equals(parent="g"), equals()]}]),
            "unknown parent",
        ),
        (
            space(RATE, forbiddens=[{"type": "AND", "clauses": [{"type": "EQUALS", "name": "g", "value": 1}]}]),
            "unknown name in the forbidden clause",
        ),
    ],
)
def test_refuses(data: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_space_file(data)


COUNT = {"name": "n", "type": "uniform_int", "lower": 1, "upper": 4}
FLAG = {"name": "flag", "type": "categorical", "choices": [True, False]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({**RATE, "lower": 1e-14}, r"lower of .* is 1e-14, of which 13 decimals would leave 0\.0"),
        ({**RATE, "lower": 1.5e-13}, r"lower of .* is 1\.5e-13, of which 13 decimals would leave"),
        ({**RATE, "lower": 4.0e-14, "log": True}, r"lower of .* is 4e-14, of which 13 decimals would leave 0\.0"),
        ({**RATE, "lower": 1e-13, "log": True}, r"allowed on a log scale: 1e-12 or more"),
        ({**RATE, "lower": 0.0, "upper": 1e-11}, "allowed: a width of 1e-09 or more"),
        ({**RATE, "default_value": 1e-14}, "default_value of .* is 1e-14, of which"),
        ({**RATE, "upper": 1e300}, r"upper of .* is 1e\+300; allowed: -1e\+100 to 1e\+100"),
        ({**RATE, "upper": 10**400}, r"upper of .* is a number of 1329 bits; allowed"),
        ({**RATE, "upper": float("inf")}, "upper of .* is inf; allowed"),
        ({**COUNT, "upper": 10**16}, r"upper of .* is 10000000000000000; allowed: -1e\+12 to 1e\+12"),
        ({**RATE, "type": "normal_float", "mu": 0, "sigma": 1e-14}, "sigma of .* is 1e-14, of which"),
        ({**RATE, "type": "normal_float", "mu": 0, "sigma": 1, "log": True}, "so mu must be above 0"),
        ({**RATE, "type": "beta_float", "alpha": 0.5, "beta": 1}, "alpha of .* must be 1 or more, got 0.5"),
        ({**FLAG, "choices": [1, 1.0]}, r"are not distinct: \[1, 1.0\]"),
        ({**FLAG, "choices": [True, 1]}, r"are not distinct: \[True, 1\]"),
        ({**FLAG, "choices": [0, "a", False]}, "are not distinct"),
        ({**FLAG, "default_value": 1}, "default_value of .* is 1; allowed"),
        ({**FLAG, "choices": [float("nan")]}, "choices of .* must be finite, got nan"),
        ({**FLAG, "choices": [10**19, 1]}, "choices of .* is 10000000000000000000; allowed: up to"),
        ({**FLAG, "choices": ["a\0", "a"]}, "must be text without control characters"),
        ({**FLAG, "choices": ["\x1b[2J"]}, "must be text without control characters"),
        ({**FLAG, "choices": ["\ud800"]}, "must be text without control characters"),
        ({**FLAG, "weights": [1]}, "weights of .* must be 2 numbers"),
        ({**FLAG, "weights": [0, 0]}, "weights of .* must be 2 numbers"),
        ({**FLAG, "weights": {"a": 1}}, "weights of .* must be 2 numbers"),
        ({**FLAG, "name": "a\0"}, "needs a name that is text"),
    ],
)
def test_refuses_what_would_not_stay_what_it_is(data: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_space_file(space(data))


@pytest.mark.parametrize("key", ["conditions", "forbiddens", "hyperparameters"])
@pytest.mark.parametrize("value", [0, "", False, {}, [1], "x"])
def test_refuses_lists_that_are_none(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"'{key}' must be a list of mappings|needs the key 'hyperparameters'"):
        check_space_file({**space(RATE), key: value})


def test_a_name_that_is_no_text_is_refused_where_a_space_is_extended() -> None:
    with pytest.raises(ConfigError, match="number 1 needs a name that is text"):
        extended(space({"name": [1]}), space(RATE))
