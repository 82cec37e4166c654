"""The comparison of real runs: tuners over the cells of the table of digits, run here."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from metaopt.core.interrupt import Interrupt
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.figures.style import drawing
from metaopt.report.pages.study import StudyText, check_study, write_study
from metaopt.report.sections.comparison import compare, comparison_sections
from metaopt.studies.file import load_study
from metaopt.studies.run import run_missing

pytestmark = pytest.mark.slow

TEXT = """
title: Black-box tuners
common: {benchmark: digits, cell_space: 1, budget: 14}
baselines:
  - {tuner: [random, reinforce, hyperband], seed: [0, 1, 2, 3, 4, 5]}
"""
SECTIONS = [
    "Over the budget",
    "At the common budget",
    "Group against group",
    "Time to a target",
    "Best cells",
    "Ranks",
    "Checklist of best practices",
    "Runs",
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyText, Path]:
    """A study of eighteen runs, with its page."""
    out = tmp_path_factory.mktemp("study")
    (out / "study.yaml").write_text(TEXT)
    plan = load_study(out / "study.yaml", {})
    with Interrupt() as interrupted:
        assert run_missing(plan.runs, out, ["metaopt", "compare"], Console(file=io.StringIO()), interrupted)
    text = StudyText(plan.title, plan.text, "metaopt compare study.yaml", tuple(run.name for run in plan.runs), ())
    write_study(text, out, out)
    return text, out


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text())))


def test_the_page_has_all_sections_and_shows_every_file(study: tuple[StudyText, Path]) -> None:
    text, out = study
    page = (out / "README.md").read_text()
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == SECTIONS
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.suffix in (".csv", ".tex", ".svg")}
    assert all(f"]({name})" in page for name in written)
    assert {"tables/final-regret-evaluations.tex", "tables/pairs.tex", "figures/critical-difference.svg"} <= written
    assert check_study(text, out, out) == []
    (out / "tables" / "pairs.tex").write_text("changed")
    assert check_study(text, out, out) == ["tables/pairs.tex"]
    write_study(text, out, out)


def test_numbers_are_those_of_the_runs(study: tuple[StudyText, Path]) -> None:
    _, out = study
    runs = {row["run"]: row for row in rows(out / "runs.csv")}
    final = {(row["clock"], row["group"]): row for row in rows(out / "final-regret.csv")}
    assert {clock for clock, _ in final} == {"evaluations", "table-epochs", "table-seconds"}
    regrets = [
        float(row["incumbent_test_error"]) - float(row["optimum_test_error"])
        for name, row in runs.items()
        if name.startswith("cells-random-")
    ]
    assert float(final["evaluations", "cells-random"]["mean"]) == pytest.approx(sum(regrets) / 6, abs=1e-7)
    assert float(final["evaluations", "cells-random"]["best"]) == pytest.approx(min(regrets), abs=1e-7)
    assert float(final["table-epochs", "cells-random"]["budget"]) == min(float(row["epochs"]) for row in runs.values())
    assert len(rows(out / "pairs.csv")) == 3 * 3
    assert len(rows(out / "checklist.csv")) == 14


def test_every_problem_has_sections_of_its_own(group_of: Callable[..., Group]) -> None:
    groups = [
        group_of(
            f"{name}-cell_space-{space}", [[0.5 - n / 50, 0.2 + shift + n / 100] for n in range(4)], cell_space=space
        )
        for space in (1, 2)
        for name, shift in (("a", 0.0), ("b", 0.1))
    ]
    with drawing():
        parts = list(comparison_sections(compare(problems(groups))))
    titles = [part.title for part in parts]
    assert titles[0] == "Over the budget, digits, cell space 1"
    assert titles[5] == "Over the budget, digits, cell space 2"
    assert titles[10:] == ["Ranks", "Over all problems", "Checklist of best practices"]
    files = [table.file for part in parts for table in (*part.tables, *part.data) if table.file]
    figures = [plot.name for part in parts for plot in part.plots]
    tables = [table.name or table.title for part in parts for table in part.tables]
    for names in (files, figures, tables):  # each has a folder of its own
        assert len(names) == len(set(names))
    assert parts[10].tables[0].cells[0][:2] == ("1: a", "1.00"), "eight blocks over both"


def test_no_problem_no_sections() -> None:
    assert list(comparison_sections([])) == []
