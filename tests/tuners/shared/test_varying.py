from __future__ import annotations

from typing import Any

import pytest

from metaopt.core.registry import load
from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import check_config, plain, space_from_json
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem
from metaopt.tuners.shared.varying import completed, varying, without_constants

X = {"name": "x", "type": "uniform_float", "lower": 0.0, "upper": 1.0}
Y = {"name": "y", "type": "uniform_float", "lower": 0.0, "upper": 1.0}
GATE = {"name": "gate", "type": "categorical", "choices": ["on", "off"]}
ONES = [
    {"name": "k", "type": "constant", "value": 3},
    {"name": "one", "type": "categorical", "choices": ["a"]},
    {"name": "first", "type": "ordinal", "sequence": [8]},
]


def depends(child: str, parent: str, kind: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "child": child, "parent": parent, "value": value}


def test_what_has_one_value_does_not_vary() -> None:
    space = space_from_json({"hyperparameters": [X, GATE, *ONES]})
    assert sorted(varying(space)) == ["gate", "x"]
    assert list(without_constants(space)) == varying(space)
    plain_space = space_from_json({"hyperparameters": [X, GATE]})
    assert without_constants(plain_space) is plain_space


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ([depends("x", "k", "EQ", 3)], {"x": None}),
        ([depends("x", "k", "NEQ", 3)], {}),
        ([depends("x", "first", "GT", 8)], {}),
        ([depends("k", "gate", "EQ", "on"), depends("x", "k", "EQ", 3)], {"x": ("gate", "on")}),
        ([depends("k", "gate", "EQ", "on"), depends("one", "k", "EQ", 3), depends("x", "one", "EQ", "a")],
         {"x": ("gate", "on")}),
        ([{"type": "AND", "conditions": [depends("x", "k", "EQ", 3), depends("x", "gate", "EQ", "off")]}],
         {"x": ("gate", "off")}),
        ([{"type": "AND", "conditions": [depends("x", "k", "NEQ", 3), depends("x", "gate", "EQ", "off")]}], {}),
        ([{"type": "OR", "conditions": [depends("x", "k", "EQ", 3), depends("x", "gate", "EQ", "off")]}], {"x": None}),
        ([depends("gate", "k", "NEQ", 3), depends("x", "gate", "NEQ", "on")], "nothing"),
    ],
)  # fmt: skip
def test_conditions_on_one_value_hold_or_do_not(conditions: list[Any], left: Any) -> None:
    space = space_from_json({"hyperparameters": [X, GATE, *ONES], "conditions": conditions})
    reduced = without_constants(space)
    if left == "nothing":
        assert len(reduced) == 0
        return
    assert sorted(reduced) == sorted(["gate", *left])
    found = {c.child.name: (c.parent.name, c.value) for c in reduced.conditions}
    assert found == {name: condition for name, condition in left.items() if condition is not None}
    reduced.seed(0)
    for config in reduced.sample_configuration(20):
        check_config(space, completed(space, plain(config)))


def first_from_model(name: str, hyperparameters: list[Any], **options: Any) -> int:
    space = space_from_json({"hyperparameters": hyperparameters})
    tuner = load(TUNERS[name])(Problem(space, 0, 4, 4), **options)
    for number in range(60):
        trial: Trial = tuner.ask()[0]
        if trial.memo["model_based"]:
            return number
        tuner.tell(Result(trial.id, "ok", (float(trial.config["x"]) - 0.3) ** 2))
    raise AssertionError("never")


@pytest.mark.parametrize(
    ("name", "options"), [("bohb", {}), ("smac", {"challengers": 10}), ("smac_mf", {"challengers": 10})]
)
def test_constants_do_not_delay_a_model(name: str, options: dict[str, Any]) -> None:
    assert first_from_model(name, [X, Y, *ONES], **options) == first_from_model(name, [X, Y], **options)


@pytest.mark.parametrize("name", [name for name in TUNERS if name != "grid"])
def test_a_space_in_which_nothing_varies_can_be_asked_of(name: str) -> None:
    tuner = load(TUNERS[name])(Problem(space_from_json({"hyperparameters": ONES}), 0, 1, 2))
    for _ in range(14):
        for trial in tuner.ask():
            assert trial.config == {"k": 3, "one": "a", "first": 8}
            tuner.tell(Result(trial.id, "ok", 0.5))
