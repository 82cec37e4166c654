from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from metaopt.report.data.grouping import alike, labels
from metaopt.report.data.load import RunData

TABLE = {"cells": 9, "seeds": 3, "epochs": [1, 8]}
OBJECTIVE = {"name": "oneshot", "optimum_test_error": 0.0134, "table": TABLE, "scale": {"channels": 8}, "device": "cpu"}
SETTINGS = {"optimizer": "darts", "tuner": "bohb", "benchmark": "digits", "cell_space": 1, "budget": 50}


def space(lower: float = 0.001, **more: Any) -> dict[str, Any]:
    rate = {"type": "uniform_float", "name": "rate", "lower": lower, "upper": 1.0, "default_value": 0.5, **more}
    return {"name": "darts", "hyperparameters": [rate], "conditions": [], "forbiddens": []}


def run(name: str, *, objective: Mapping[str, Any] = OBJECTIVE, of: Any = None, **settings: Any) -> RunData:
    header = {"run": {**SETTINGS, **settings}, "objective": objective, "space": space() if of is None else of}
    return RunData(name, header, (), (), ())


def grouped(*runs: RunData) -> list[list[str]]:
    return [[one.name for one in group.runs] for group in alike(runs)]


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 7},
        {"workers": 4, "executor": "serial", "cluster": "slurm.yaml", "device": "cuda"},
        {"time_limit_s": 60.0, "memory_limit_mb": 900},
        {"batch_norm": "recalibrated", "channels": None, "unknown": None, "budget_epochs": None, "tuner_options": {}},
        {"objective": {**OBJECTIVE, "device": "cuda", "torch": "2.9"}},
        {"objective": {**OBJECTIVE, "optimum_test_error": 0.0134 + 1e-17}},
        {"objective": {**OBJECTIVE, "split": "an older version did not say"}},
        {"objective": {}},
        {"of": space(meta={"unit": "images"}, weights=None)},
        {"of": {**space(), "name": None, "python_module_version": "1.3"}},
        {"of": {}},
    ],
)
def test_the_seed_and_what_cannot_change_a_result_make_no_difference(other: dict[str, Any]) -> None:
    assert grouped(run("a"), run("b", **other)) == [["a", "b"]]
    assert grouped(run("b", **other), run("a")) == [["b", "a"]]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"channels": 4}, "channels 4"),
        ({"cells": 6}, "cells 6"),
        ({"batch_norm": "running"}, 'batch_norm "running"'),
        ({"pixels": 4}, "pixels 4"),
        ({"subset": 200}, "subset 200"),
        ({"images": "elsewhere"}, 'images "elsewhere"'),
        ({"unknown": "refuse"}, 'unknown "refuse"'),
        ({"budget": 20}, "budget 20"),
        ({"tuner_options": {"eta": 2}}, 'tuner_options {"eta": 2}'),
        ({"a_setting_of_tomorrow": [1]}, "a_setting_of_tomorrow [1]"),
        ({"of": space(0.01)}, 'space rate {"lower": 0.01, "upper": 1.0, "default_'),
        ({"of": {**space(), "conditions": [{"child": "rate"}]}}, 'space conditions [{"child": "rate"}]'),
        ({"objective": {**OBJECTIVE, "scale": {"channels": 4}}}, "scale.channels 4"),
        ({"objective": {**OBJECTIVE, "table": {**TABLE, "digest": "ab"}}}, 'table.digest "ab"'),
        ({"objective": {**OBJECTIVE, "optimum_test_error": 0.0135}}, "optimum_test_error 0.0135"),
    ],
)
def test_whatever_else_differs_makes_two_groups_whose_labels_say_so(other: dict[str, Any], said: str) -> None:
    mine = {**OBJECTIVE, "table": {**TABLE, "digest": "cd"}} if "digest" in said else OBJECTIVE
    groups = alike([run("a", objective=mine), run("b", **other), run("c", objective=mine)])
    assert [[one.name for one in group.runs] for group in groups] == [["a", "c"], ["b"]]
    named = labels(groups, [["darts"]] * 2)
    assert len(set(named)) == 2
    assert named[1].startswith(f"darts, {said}")


def test_look_ups_told_the_mean_are_not_those_told_a_single_error() -> None:
    of = {"optimizer": "x", "tuner": "re", "benchmark": "digits"}
    runs = [RunData(name, {"run": {**of, "errors": name}}, (), (), ()) for name in ("mean", "single")]
    del of["optimizer"]
    runs += [RunData("old", {"run": of}, (), (), ()), RunData("new", {"run": {**of, "errors": "mean"}}, (), (), ())]
    assert grouped(*runs) == [["mean"], ["single"], ["old", "new"]]


def test_what_tells_groups_of_equal_settings_apart_is_known() -> None:
    first, second, third = alike([run("a"), run("b", of=space(0.01)), run("c", channels=4)])
    assert set(first.apart) == set(second.apart) == {"space"}
    assert third.apart == {}


def test_labels_say_no_more_than_they_must_and_are_never_equal() -> None:
    groups = alike([run("a"), run("b", channels=4, cells=2), run("c", channels=4, cells=3), run("d", tuner="tpe")])
    words = [["x"], ["x"], ["x"], ["y"]]
    assert labels(groups, words) == ["x, channels –, cells –", "x, channels 4, cells 2", "x, channels 4, cells 3", "y"]
    assert labels(groups[:1] * 2, [["x"]] * 2) == ["x", "x-2"]
