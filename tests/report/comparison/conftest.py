"""Groups of runs whose answers are given: the input of the comparison's tests. Real journals are in test_parts.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from metaopt.report.load import Evaluation, RunData
from metaopt.report.study_groups import Group
from metaopt.trial import Result, Trial

Answer = tuple[float, float] | float | None


def run_of(
    name: str, seed: int, answers: Sequence[Answer], *, epochs: Sequence[int] = (), step_s: float = 2.0, **settings: Any
) -> RunData:
    """A run; an answer is validation and test error, or one number for both, or None for a crash."""
    told = []
    for number, answer in enumerate(answers):
        trial = Trial(number, number, {}, epochs[number] if epochs else 8, number)
        valid, test = answer if isinstance(answer, tuple) else (answer, answer)
        info = {"cell": "111:conv3x3", "cell_hash": "x"} if valid is not None else {}
        result = Result(number, "ok" if valid is not None else "crashed", valid, test, info=info)
        told.append(Evaluation(trial, step_s * number, result, step_s * (number + 1)))
    header = {
        "run": {
            "benchmark": "digits",
            "cell_space": 1,
            "tuner": "random",
            "seed": seed,
            "budget": len(answers),
            **settings,
        },
        "objective": {"optimum_valid_error": 0.0, "optimum_test_error": 0.0, "table": {"cells": 2685, "seeds": 3}},
        "versions": {"python": "3.11"},
        "host": {"name": "a", "cores": 2, "commit": "0123456789abcdef"},
    }
    return RunData(name, header, (), tuple(told), tuple(told))


def group(
    label: str, runs: Sequence[Sequence[Answer]], *, seeds: Sequence[int] | None = None, **settings: Any
) -> Group:
    """A group with a run for each list of answers."""
    seeds = range(len(runs)) if seeds is None else seeds
    members = [run_of(f"{label}-s{seed}", seed, answers, **settings) for seed, answers in zip(seeds, runs, strict=True)]
    return Group(label, tuple(members))


@pytest.fixture(scope="session")
def group_of() -> Callable[..., Group]:
    """Makes a group: ``group_of("a", [[0.3, 0.2], [0.4, None]], seeds=[0, 1], tuner="re", optimizer="darts")``."""
    return group


def tuned_group(label: str, confirmed: Mapping[int, tuple[Answer, ...]], **settings: Any) -> Group:
    """A group of runs by seed, each with one confirming search of its default and one of what it found, or none."""
    found = group(label, [[0.3]] * len(confirmed), seeds=list(confirmed), **settings)
    runs = []
    for run, answers in zip(found.runs, confirmed.values(), strict=True):
        default = {} if len(answers) == 1 else {"x": 0}  # every trial's configuration is empty
        searches = run_of("confirm", 0, answers).told
        runs.append(replace(run, header={**run.header, "default": default}, confirmed=searches))
    return Group(label, tuple(runs))


@pytest.fixture(scope="session")
def tuned_group_of() -> Callable[..., Group]:
    """Makes a group: ``tuned_group_of("darts-tpe", {0: (0.3, 0.2), 1: (0.4,)}, optimizer="darts", tuner="tpe")``.

    Keys are seeds, values the errors of default and tuned, None for a search that failed; one error where the default
    stayed the best; none where nothing was confirmed.
    """
    return tuned_group
