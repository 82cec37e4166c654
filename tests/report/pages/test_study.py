from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import RunError
from metaopt.report.pages.study import StudyText, check_study, render_study, write_study
from metaopt.report.sections.run import FIRST_CELL_NOTE

TRAJECTORY = {"test_error": [0.5, 0.3], "one_shot_error": [0.6, 0.5], "eigenvalue": [0.1, 0.2]}


@pytest.fixture(scope="module")
def out(
    make_run: Callable[..., Path],
    write_run: Callable[..., Path],
    answer: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A study of two runs by BOHB and one that goes round a grid."""
    place = tmp_path_factory.mktemp("study")
    command = [".venv/bin/metaopt", "compare", "a study/study.yaml"]
    trials = [answer(n, 0.3, 0.3, config={"on": n % 2}, info={"trajectory": TRAJECTORY}) for n in range(4)]
    folders = [write_run(trials, run={"optimizer": "darts", "tuner": "grid"}, name="grid", command=command)]
    folders += [make_run(f"bohb-s{seed}", n=30, seed=seed) for seed in (0, 1)]
    for folder in folders:
        shutil.copytree(folder, place / folder.name)
    return place


def study(*runs: str, unfinished: tuple[str, ...] = ()) -> StudyText:
    return StudyText("A | title", "Some *words*.\n", "metaopt compare mine.yaml", runs, unfinished)


ALL = ("grid", "bohb-s0", "bohb-s1")


def test_what_is_written_equals_what_is_rendered_again(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "copy")
    page = write_study(study("grid"), tmp_path / "copy", tmp_path / "copy")
    assert page.name == "report.html"
    assert check_study(study("grid"), tmp_path / "copy", tmp_path / "copy") == []
    elsewhere = replace(study("grid"), command="metaopt compare copy/mine.yaml")
    assert check_study(elsewhere, tmp_path / "copy", tmp_path / "copy") == [], (
        "from where it is called makes no difference"
    )
    assert check_study(replace(elsewhere, title="B"), tmp_path / "copy", tmp_path / "copy") == [
        "README.md",
        "report.html",
    ]
    (tmp_path / "copy" / "figures" / "trajectory-test-regret.png").unlink()
    assert check_study(study("grid"), tmp_path / "copy", tmp_path / "copy") == ["figures/trajectory-test-regret.png"]


def test_the_page_begins_with_its_command_and_shows_every_file(out: Path) -> None:
    files = render_study(study(*ALL), out)
    page = files["README.md"].decode()
    assert page.startswith("`metaopt compare mine.yaml`\n\n# A | title\n\nSome *words*.\n\n- 3 runs in 2 groups on ")
    assert set(files) == {
        "README.md", "report.html", "tuned.csv", "final.csv", "trajectories.csv", "runs.csv", "importance.csv",
        *(f"tables/{name}.tex" for name in (
            "tuned-against-default", "what-matters", "after-the-last-epoch", "runs",
        )),
        *(f"figures/{name}.{kind}" for kind in ("svg", "png") for name in (
            "tuned-against-default", "compare-test-evaluations", "trajectory-test-regret",
            "trajectory-one-shot-validation-error", "trajectory-dominant-eigenvalue", "eigenvalue-against-regret",
        )),
    }  # fmt: skip
    for name in files:
        assert name in page or name.endswith((".png", ".html", "README.md"))
    assert "Not complete" not in page
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## Tuned against default",
        "## What matters",
        "## After the last epoch",
        "## Curvature",
        "## Runs",
    ]


def test_tables_have_as_many_cells_as_columns(out: Path) -> None:
    page = render_study(study(*ALL), out)["README.md"].decode()
    tables = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    assert len(tables) == 4
    for table in tables:
        assert len({line.count("|") for line in table}) == 1
        assert len(table) >= 3


def test_a_table_as_csv_has_a_row_per_group(out: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(render_study(study(*ALL[1:]), out)["tuned.csv"].decode()))
    assert row["runs"] == "2"
    assert float(row["default_regret_mean"]) > 0


def test_what_is_missing_is_said(out: Path) -> None:
    page = render_study(study("bohb-s0", "bohb-s9", unfinished=("bohb-s9",)), out)["README.md"].decode()
    assert "**Not complete**: 1 of 2 runs not finished: bohb-s9." in page


@pytest.mark.parametrize("confirm", [0, 3])
def test_without_confirming_searches_there_is_no_table_of_them(
    make_run: Callable[..., Path], tmp_path: Path, confirm: int
) -> None:
    for tuner in ("bohb", "tpe"):
        shutil.copytree(make_run(tuner, n=12, confirm=confirm, tuner=tuner, optimizer="darts"), tmp_path / tuner)
    page = render_study(study("bohb", "tpe"), tmp_path)["README.md"].decode()
    assert "## Over the budget" in page
    assert ("## Tuned against default" in page) == (confirm > 0)


def test_a_study_without_any_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no run of the study yet"):
        render_study(study("bohb-s0"), tmp_path)


def test_what_must_be_known_of_look_ups_stands_before_everything_else(
    write_run: Callable[..., Path], answer: Callable[..., Any], tmp_path: Path
) -> None:
    table = {"name": "table", "table": {"cells": 9, "seeds": 2, "epochs": [3, 27]}}
    answers = [answer(n, 0.3, 0.1, epochs=(27, 3)[n], config={"x": n}) for n in range(2)]
    shutil.copytree(
        write_run(answers, run={"tuner": "random"}, objective=table, default={"x": 0}), tmp_path / "cells-s0"
    )
    page = render_study(study("cells-s0"), tmp_path)["README.md"].decode()
    assert f"Some *words*.\n\n{FIRST_CELL_NOTE}\n\n1 look-up asked for fewer epochs" in page


def test_groups_that_have_only_drawn_are_named(
    write_run: Callable[..., Path], answer: Callable[..., Any], tmp_path: Path
) -> None:
    drawn = [(replace(trial, memo={"model_based": False}), result) for trial, result in (answer(0, 0.3, 0.1),)]
    for seed in range(2):
        run = {"tuner": "tpe", "tuner_options": {"startup": 10}, "seed": seed}
        shutil.copytree(write_run(drawn, run=run), tmp_path / f"cells-tpe-s{seed}")
    page = render_study(study("cells-tpe-s0", "cells-tpe-s1"), tmp_path)["README.md"].decode()
    assert page.count("cells-tpe: tpe was random search so far: of 2 trials none is the choice of its model.") == 1
