from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import JournalError
from metaopt.runs.same_problem import changed_versions, check_same_problem, check_same_run

JOURNAL = Path("run/journal.jsonl")
STATED: dict[str, Any] = {
    "name": "oneshot",
    "benchmark": "digits",
    "images": "digits",
    "split": {"train": [0, 700], "sizes": [700, 200]},
    "optimum_valid_error": 0.014,
    "table": {"cells": 2685, "seeds": [0, 1, 2], "unknown": "refuse"},
    "digests": {"table": "aa", "card": "bb"},
    "device": "cpu",
    "torch": "2.8.0",
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    now = copy.deepcopy(STATED)
    change(now)
    return now


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda now: now.update(benchmark="mine"), "benchmark was 'digits' and is 'mine'"),
        (lambda now: now.update(optimum_valid_error=0.214), "optimum_valid_error was 0.014 and is 0.214"),
        (lambda now: now.update(optimum_valid_error=None), "optimum_valid_error was 0.014 and is None"),
        (lambda now: now["table"].update(cells=2686), "table.cells was 2685 and is 2686"),
        (lambda now: now["table"].update(seeds=[0, 1]), r"table.seeds was \[0, 1, 2\] and is \[0, 1\]"),
        (lambda now: now["table"].update(cells=True), "table.cells was 2685 and is True"),
        (lambda now: now["digests"].update(table="cc"), "digests.table was 'aa' and is 'cc'"),
        (lambda now: now["split"].update(train=[0, 701]), "split.train"),
        (lambda now: now.update(table="none"), "table was "),
        (lambda now: now.update(images="x" * 10**6), "images was 'digits' and is 'xxx"),
    ],
)
def test_another_problem_is_refused_by_its_name(change: Callable[[dict[str, Any]], object], named: str) -> None:
    with pytest.raises(JournalError, match=named) as error:
        check_same_problem(JOURNAL, {"objective": STATED}, changed(change))
    assert str(JOURNAL) in error.value.message
    assert "put back what the run was begun with" in error.value.hint
    assert len(str(error.value)) < 2000


@pytest.mark.parametrize(
    "change",
    [
        lambda now: None,
        lambda now: now.update(device="cuda", torch="2.9.0"),
        lambda now: now.update(optimum_valid_error=0.014 * (1 + 1e-14)),
        lambda now: now.update(split={"train": (0, 700), "sizes": (700, 200)}),
        lambda now: now["digests"].update(surrogate="dd"),
        lambda now: now.update(news=1),
        lambda now: now.pop("digests"),
    ],
)
def test_the_same_problem_goes_on(change: Callable[[dict[str, Any]], object]) -> None:
    check_same_problem(JOURNAL, {"objective": STATED}, changed(change))


def test_a_header_that_states_nothing_or_nonsense() -> None:
    check_same_problem(JOURNAL, {}, STATED)
    with pytest.raises(JournalError, match="objective was 'mine'"):
        check_same_problem(JOURNAL, {"objective": "mine"}, STATED)


def test_a_confirmation_of_another_run() -> None:
    header = {"run": {"seed": 1}, "space": {"a": 1}, "default": {}, "objective": STATED}
    check_same_run(JOURNAL, {**header, "confirms": "run"}, header)
    check_same_run(JOURNAL, {**header, "run": {"seed": 1, "workers": 2, "cluster": "a"}}, header)
    for other in ({"run": {"seed": 2}}, {"run": {"seed": 1, "more": 0}}, {"space": None}, {"objective": {}}):
        with pytest.raises(JournalError, match="confirms another run"):
            check_same_run(JOURNAL, {**header, **other}, header)


def test_other_versions_are_told() -> None:
    versions = {"torch": "2.8.0", "numpy": "2.1"}
    assert changed_versions({"versions": versions}, versions) == ""
    assert changed_versions({}, versions) == ""
    said = changed_versions({"versions": {**versions, "torch": "2.7.0"}}, versions)
    assert said == "other versions than the run was begun with: torch 2.8.0, not '2.7.0'"
