from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group, study_groups
from metaopt.report.data.inputs import run_importance
from metaopt.report.data.load import load_run
from metaopt.report.sections.comparison import compare
from metaopt.report.sections.summary import run_summary, run_title, study_summary
from metaopt.report.sections.tuned import tuned

GroupOf = Callable[..., Group]


def of(*groups: Group) -> str:
    found = study_summary(groups, compare(problems(groups)), [tuned(group) for group in groups], ())
    assert 3 <= len(found) <= 6
    return " ".join(found)


def test_it_says_who_leads_and_what_is_significant(group_of: GroupOf) -> None:
    said = of(*(group_of(name, [[0.1 * n + s / 1000] for s in range(8)]) for n, name in enumerate("abc", start=1)))
    assert "24 runs in 3 groups on digits, cell space 1, 8 runs in each; 3 groups look cells up." in said
    assert "the lowest mean test regret is that of **a** (0.1035), followed by **b** (0.2035); the highest" in said
    assert (
        "Statistically significant (corrected p < .05): a is better than b, a is better than c, b is better than c."
        in said
    )
    assert "None of 24 trials failed." in said


def test_what_is_not_significant_is_not_called_equal(group_of: GroupOf) -> None:
    said = of(*(group_of(name, [[0.1 + s / 1000] for s in range(8)]) for name in "ab"))
    assert "None of the 1 tested pair is significantly different after correction, which is not evidence that" in said


def test_too_few_runs_are_said_to_be_so(group_of: GroupOf) -> None:
    said = of(*(group_of(name, [[0.1]] * 2) for name in "ab"))
    assert "Nothing can be called statistically significant: 2 runs in a group are too few for a test." in said


@pytest.mark.parametrize("confirm", [0, 3])
def test_a_run_has_three_to_six_sentences(make_run: Callable[..., Path], confirm: int) -> None:
    run = load_run(make_run(n=40, confirm=confirm))
    said = list(run_summary(run, run_importance(run)))
    assert 3 <= len(said) <= 6
    assert said[0].startswith("One run with seed 0: 40 searches, ")
    assert ("fresh searches the default's mean" in said[2]) == bool(confirm)


def test_a_baseline_is_called_by_what_it_looks_for(write_run: Callable[..., Path], answer: Callable[..., Any]) -> None:
    table = {"name": "table", "table": {"cells": 9, "seeds": 2, "epochs": [27]}}
    settings = {"tuner": "random", "benchmark": "digits", "cell_space": 1}
    run = load_run(write_run([answer(0, 0.3, 0.1)], run=settings, objective=table))
    assert run_title(run) == "random over the cells of digits, cell space 1"
    said = " ".join(run_summary(run, run_importance(run)))
    assert "1 cells looked up" not in said
    assert "One run says nothing of how well its tuner does with other seeds" in said


def test_tuning_that_helped_is_named(tuned_group_of: GroupOf) -> None:
    confirmed = {seed: (0.4 + seed / 1000, 0.2) for seed in range(6)}
    said = of(tuned_group_of("darts-tpe", confirmed, optimizer="darts", tuner="tpe"))
    assert "Default against tuned, by fresh searches: tuning helped for darts-tpe (2.01×)." in said


def test_groups_of_real_runs(make_run: Callable[..., Path]) -> None:
    runs = [load_run(make_run(f"bohb-s{seed}", n=12, seed=seed)) for seed in (0, 1)]
    assert "2 runs in 1 group on digits, cell space 1, 2 runs in each; 1 group tunes a one-shot" in of(
        *study_groups(runs)
    )
