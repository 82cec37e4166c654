from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from metaopt.report.data.groups import grid_repeats, study_groups
from metaopt.report.data.load import RunData, load_run, load_runs

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
    return [[one.name for one in group.runs] for group in study_groups(runs)]


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
    groups = study_groups([run("x-s0", objective=mine), run("x-s1", **other), run("x-s2", objective=mine)])
    assert [[one.name for one in group.runs] for group in groups] == [["x-s0", "x-s2"], ["x-s1"]]
    assert len({group.label for group in groups}) == 2
    assert groups[1].label.startswith(f"x, {said}")


def test_look_ups_told_the_mean_are_not_those_told_a_single_error() -> None:
    of = {"optimizer": "x", "tuner": "re", "benchmark": "digits"}
    runs = [RunData(name, {"run": {**of, "errors": name}}, (), (), ()) for name in ("mean", "single")]
    del of["optimizer"]
    runs += [RunData("old", {"run": of}, (), (), ()), RunData("new", {"run": {**of, "errors": "mean"}}, (), (), ())]
    assert grouped(*runs) == [["mean"], ["single"], ["old", "new"]]


def test_what_tells_groups_of_equal_settings_apart_is_known() -> None:
    first, second, third = study_groups([run("a"), run("b", of=space(0.01)), run("c", channels=4)])
    assert set(first.apart) == set(second.apart) == {"space"}
    assert third.apart == {}


def test_labels_say_no_more_than_they_must_and_are_never_equal() -> None:
    runs = [run("x-s0"), run("x-s1", channels=4, cells=2), run("x-s2", channels=4, cells=3), run("y-s0", tuner="tpe")]
    assert [group.label for group in study_groups(runs)] == [
        "x, channels –, cells –", "x, channels 4, cells 2", "x, channels 4, cells 3", "y",
    ]  # fmt: skip


def test_repeats_in_folders_of_other_names_are_called_by_what_they_are() -> None:
    (group, other) = study_groups([run("one"), run("two"), run("three", channels=4)])
    assert (group.label, other.label) == ("darts, bohb", "three")


def test_a_group_differs_in_seed_and_resources_only(make_run: Callable[..., Path]) -> None:
    runs = load_runs(
        [
            make_run("darts-s0", n=1, optimizer="darts", seed=0, workers=1),
            make_run("gdas-s0", n=1, optimizer="gdas", seed=0),
            make_run("darts-s1", n=1, optimizer="darts", seed=1, workers=2),
        ]
    )
    groups = study_groups(runs)
    assert [(group.label, [run.name for run in group.runs]) for group in groups] == [
        ("darts", ["darts-s0", "darts-s1"]),
        ("gdas", ["gdas-s0"]),
    ]


def test_runs_that_differ_in_more_than_the_seed_are_no_group(make_run: Callable[..., Path]) -> None:
    folders = [make_run(f"darts-channels-{n}-s10", n=1, channels=n, seed=10) for n in (4, 8)]
    assert [group.label for group in study_groups(load_runs(folders))] == ["darts-channels-4", "darts-channels-8"]


def test_searches_of_one_configuration_are_repeats_whatever_their_run(
    write_run: Callable[..., Path], answer: Callable[..., Any]
) -> None:
    def grid(seed: int) -> Path:
        trials = [
            answer(0, 0.1, 0.2, config={"decay": 3e-4, "cutout": False}),
            answer(1, 0.1, 0.3, config={"decay": 0.01, "cutout": True, "length": 4}),
            answer(2, 0.1, 0.4, config={"decay": 3e-4, "cutout": False}),
            answer(3, None, reason="on purpose", config={"decay": 0.01, "cutout": True, "length": 4}),
            answer(4, None, config={"decay": 3e-4, "cutout": False}),
        ]
        return write_run(trials, run={"optimizer": "darts", "tuner": "grid", "seed": seed}, name=f"darts-s{seed}")

    first, second = grid_repeats(study_groups(load_runs([grid(0), grid(1)])))
    assert (first.name, second.name) == ("darts, cutout False, decay 0.0003", "darts, cutout True, decay 0.01")
    assert [e.test_error for e in first.evaluations] == [0.2, 0.4, 0.2, 0.4]
    assert (first.failed, second.failed) == (0, 2)


def test_a_single_configuration_has_the_name_of_its_group_and_other_tuners_repeat_nothing(
    write_run: Callable[..., Path], answer: Callable[..., Any]
) -> None:
    folders = [write_run([answer(0, 0.1, 0.2)], run={"tuner": tuner}, name=f"{tuner}-s0") for tuner in ("grid", "bohb")]
    (only,) = grid_repeats(study_groups([load_run(folder) for folder in folders]))
    assert (only.label, only.name) == ("", "grid")
