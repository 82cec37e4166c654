from __future__ import annotations

from copy import deepcopy
from itertools import product
from typing import Any

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace
from ConfigSpace.util import deactivate_inactive_hyperparameters, get_one_exchange_neighbourhood

from metaopt.core.errors import ConfigError
from metaopt.spaces.exact import MOST_DRAWS, Space
from metaopt.spaces.space import check_config, plain, space_from_json, space_to_json, unmet

MIXED: list[list[Any]] = [[0, 0.5], [0.5, 0], [False, 2], [True, 0.5, "x"], ["1", 1], [1, 2.5, 2**62], ["0.5", 0.5]]


def choice(name: str, values: list[Any], kind: str = "categorical") -> dict[str, Any]:
    return {"name": name, "type": kind, "choices" if kind == "categorical" else "sequence": values}


def depends(child: str, parent: str, kind: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "child": child, "parent": parent, "value": value}


@pytest.mark.parametrize("values", MIXED)
@pytest.mark.parametrize("kind", ["categorical", "ordinal"])
def test_a_choice_stays_what_it_is(values: list[Any], kind: str) -> None:
    space = space_from_json({"hyperparameters": [choice("a", values, kind)]})
    space.seed(0)
    drawn = [plain(config)["a"] for config in space.sample_configuration(40)]
    assert {repr(value) for value in drawn} == {repr(value) for value in values}
    for value in values:
        check_config(space, {"a": value})
        assert space["a"].to_value(space["a"].to_vector(value)) == value
    assert space_to_json(space_from_json(space_to_json(space))) == space_to_json(space)


def test_a_default_is_the_choice_that_it_equals() -> None:
    space = space_from_json({"hyperparameters": [{**choice("a", [1.0, 2.0]), "default_value": 2}]})
    assert repr(plain(space.get_default_configuration())) == "{'a': 2.0}"


def test_what_is_drawn_from_choices_of_one_type_is_what_configspace_draws() -> None:
    data = {"hyperparameters": [choice("a", [3, 5]), choice("b", ["x", "y"]), choice("c", [0.5, 1.5])]}
    data["hyperparameters"] += [{"name": "d", "type": "uniform_float", "lower": 0, "upper": 1}]
    data["conditions"] = [depends("d", "b", "EQ", "x")]
    ours, theirs = space_from_json(data), ConfigurationSpace.from_serialized_dict(deepcopy(data))
    ours.seed(3)
    theirs.seed(3)
    for size in (None, 4, 33):
        a, b = ours.sample_configuration(size), theirs.sample_configuration(size)
        assert [plain(c) for c in (a if size else [a])] == [plain(c) for c in (b if size else [b])]


CHAIN = [choice("a", ["x", "y"]), choice("b", ["off", "on"]), choice("c", [False, True]), choice("d", [1, 2])]
CONDITIONS = {
    "NEQ on a conditional parent": [depends("b", "a", "EQ", "x"), depends("c", "b", "NEQ", "off")],
    "NEQ on NEQ on NEQ": [
        depends("b", "a", "NEQ", "x"), depends("c", "b", "NEQ", "on"), depends("d", "c", "NEQ", True),
    ],
    "parents of two depths": [
        depends("b", "a", "EQ", "x"),
        depends("c", "b", "EQ", "on"),
        {"type": "AND", "conditions": [depends("d", "a", "EQ", "x"), depends("d", "c", "NEQ", True)]},
    ],
    "one of two parents": [
        depends("b", "a", "EQ", "x"),
        {"type": "OR", "conditions": [depends("c", "b", "NEQ", "on"), depends("c", "a", "NEQ", "x")]},
        {"type": "AND", "conditions": [depends("d", "c", "NEQ", True), depends("d", "b", "EQ", "off")]},
    ],
    "the same twice": [
        {"type": "AND", "conditions": [depends("c", "a", "EQ", "x"), depends("c", "a", "EQ", "x")]},
        {"type": "AND", "conditions": [depends("d", "a", "EQ", "x"), depends("d", "b", "EQ", "on")]},
    ],
}  # fmt: skip


def active(space: Space, values: dict[str, Any]) -> dict[str, Any]:
    """What the definition says: a condition holds if the parent is active and has the value."""
    found: dict[str, Any] = {}
    for name in space:
        if not unmet(space, name, found):
            found[name] = values[name]
    return found


@pytest.mark.parametrize("which", CONDITIONS)
def test_what_is_active_is_the_same_for_values_and_for_vectors(which: str) -> None:
    space = space_from_json({"hyperparameters": CHAIN, "conditions": CONDITIONS[which]})
    right = set()
    for values in product(*(item["choices"] for item in CHAIN)):
        config = active(space, dict(zip((str(item["name"]) for item in CHAIN), values, strict=True)))
        check_config(space, config)
        given = dict(zip("abcd", values, strict=True))
        assert plain(deactivate_inactive_hyperparameters(given, space)) == config
        right.add(tuple(sorted(config.items())))
    space.seed(1)
    drawn = space.sample_configuration(200)
    assert {tuple(sorted(plain(config).items())) for config in drawn} == right
    for config in drawn[:20]:
        for neighbour in get_one_exchange_neighbourhood(config, seed=0):
            check_config(space, plain(neighbour))


def test_a_condition_on_an_inactive_parent_does_not_hold() -> None:
    space = space_from_json({"hyperparameters": CHAIN, "conditions": CONDITIONS["NEQ on a conditional parent"]})
    check_config(space, {"a": "y", "d": 1})
    with pytest.raises(ConfigError, match="not a configuration"):
        check_config(space, {"a": "y", "c": False, "d": 1})


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [("EQ", 5, {5}), ("NEQ", 5, {3, 4, 6, 7}), ("LT", 5, {3, 4}), ("GT", 5, {6, 7}), ("IN", [3, 7], {3, 7})],
)
@pytest.mark.parametrize("log", [False, True])
def test_conditions_on_whole_numbers(kind: str, value: Any, held: set[int], log: bool) -> None:
    n = {"name": "n", "type": "uniform_int", "lower": 3, "upper": 7, "log": log}
    condition = {**depends("a", "n", kind, value), "values": value}
    del condition["value" if kind == "IN" else "values"]
    space = space_from_json({"hyperparameters": [n, choice("a", [1, 2])], "conditions": [condition]})
    space.seed(0)
    assert {plain(c)["n"] for c in space.sample_configuration(300) if "a" in plain(c)} == held


def test_a_clause_on_what_is_inactive_forbids_nothing_and_none_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    data = {
        "hyperparameters": [choice("a", ["x", "y"]), {"name": "n", "type": "uniform_int", "lower": 1, "upper": 8}],
        "conditions": [depends("n", "a", "EQ", "x")],
        "forbiddens": [{"type": "CLAUSE_GE", "name": "n", "value": 6}],
    }
    space = space_from_json(data)
    space.seed(0)
    drawn = [plain(config) for config in space.sample_configuration(200)]
    assert {config.get("n") for config in drawn} == {None, 1, 2, 3, 4, 5}
    for config in drawn:
        check_config(space, config)
    with pytest.raises(ConfigError, match="not a configuration"):
        check_config(space, {"a": "x", "n": 6})
    assert space_to_json(space_from_json(space_to_json(space))) == space_to_json(space)
    assert capsys.readouterr().out == ""


def numbers(*forbiddens: dict[str, str]) -> dict[str, Any]:
    both = [{"name": name, "type": "uniform_float", "lower": 0, "upper": 1, "default_value": 0.5} for name in "xy"]
    return {"name": "narrow", "hyperparameters": both, "forbiddens": list(forbiddens)}


def test_draws_come_to_an_end_where_almost_nothing_is_legal() -> None:
    clauses = [{"type": f"RELATION_{order}", "left": "x", "right": "y"} for order in ("LT", "GT")]
    space = Space.decoded(numbers(*clauses))
    for size in (None, 1, 7):
        with pytest.raises(ConfigError, match=r"space narrow leave almost nothing: of 1\d{6} random .* 0 were legal"):
            space.sample_configuration(size)


def test_as_many_as_were_found_are_returned_where_little_is_legal() -> None:
    clauses = [{"type": "CLAUSE_GT", "name": name, "value": 0.02} for name in "xy"]
    data = numbers(*clauses)
    for item in data["hyperparameters"]:
        item["default_value"] = 0.01
    space = Space.decoded(data)
    space.seed(0)
    found = space.sample_configuration(10_000)
    assert 0.5 < len(found) / (MOST_DRAWS * 0.02**2) < 2
    assert all(max(config.values()) <= 0.02 for config in found)
    assert not np.array_equal(found[0].get_array(), found[1].get_array())


def test_a_bound_that_rounding_would_move_is_one_that_it_leaves_alone() -> None:
    """ConfigSpace rounds a configuration again, and 500617.2839 becomes less by a bit; a child of it is checked."""
    rate = {"name": "rate", "type": "uniform_float", "lower": 1.0, "upper": 500617.2839, "default_value": 500617.2839}
    clauses = [{"type": "EQUALS", "name": "rate", "value": 500617.2839}]
    gate = [choice("gate", ["x", "y"])]
    conditions = [depends("rate", "gate", "EQ", "x")]
    space = space_from_json({"hyperparameters": [*gate, rate], "conditions": conditions})
    upper = space["rate"].upper
    assert upper == pytest.approx(500617.2839, rel=1e-15)
    assert float(np.round(upper, 13)) == upper
    check_config(space, {"gate": "x", "rate": upper})
    with pytest.raises(ConfigError, match="Forbidden"):
        space_from_json({"hyperparameters": [*gate, rate], "conditions": conditions, "forbiddens": clauses})
    assert space_to_json(space_from_json(space_to_json(space))) == space_to_json(space)


@pytest.mark.parametrize(
    ("kind", "left"),
    [("CLAUSE_LT", {4, 5, 6}), ("CLAUSE_LE", {5, 6}), ("CLAUSE_GT", {2, 3, 4}), ("CLAUSE_GE", {2, 3})],
)
def test_clauses_forbid_what_they_say(kind: str, left: set[int]) -> None:
    default = min(left)
    n = {"name": "n", "type": "uniform_int", "lower": 2, "upper": 6, "default_value": default}
    space = space_from_json({"hyperparameters": [n], "forbiddens": [{"type": kind, "name": "n", "value": 4}]})
    space.seed(0)
    assert {plain(config)["n"] for config in space.sample_configuration(100)} == left
    assert space_to_json(space_from_json(space_to_json(space))) == space_to_json(space)


def test_a_condition_at_the_edge_of_a_number_is_the_same_for_values_and_for_vectors() -> None:
    """A place on the scale, taken back to its value and there again, is another one by a bit."""
    edge = 500000.0000000005
    a = {"name": "a", "type": "uniform_float", "lower": 1e-9, "upper": 1e6, "default_value": edge}
    data = {"hyperparameters": [a, choice("b", [1, 2])], "conditions": [depends("b", "a", "GT", edge)]}
    space = space_from_json(data)
    default = plain(space.get_default_configuration())
    assert list(default) == ["a"]
    check_config(space, default)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "uniform_float", "lower": 0.001, "upper": 1.0, "log": True},
        {"type": "uniform_int", "lower": 1, "upper": 6},
        {"type": "uniform_int", "lower": 1, "upper": 6, "log": True},
        {"type": "normal_float", "lower": 0.0, "upper": 9.0, "mu": 3.0, "sigma": 2.0},
        {"type": "normal_int", "lower": 0, "upper": 9, "mu": 3, "sigma": 2},
        {"type": "beta_int", "lower": 0, "upper": 9, "alpha": 2, "beta": 4},
        {"type": "ordinal", "sequence": [2, 4, 8]},
        {"type": "categorical", "choices": ["a", "b", "c"]},
        {"type": "categorical", "choices": ["a", "b", "c"], "weights": [1, 2, 5]},
        {"type": "constant", "value": 7},
    ],
    ids=str,
)
def test_quantiles_of_even_shares_are_spread_as_draws_are(item: dict[str, Any]) -> None:
    space = space_from_json({"hyperparameters": [{"name": "h", **item}]})
    places, legal = space.quantiles(np.arange(4000)[None] / 4000)
    assert legal.all()
    space.seed(0)
    drawn = space.draws(4000)
    at = np.unique(np.concatenate([places[0], drawn[0]]))
    below = [np.searchsorted(np.sort(of[0]), at, side="right") / 4000 for of in (places, drawn)]
    assert np.abs(below[0] - below[1]).max() < 0.035
