"""Reference results: each says the command that makes it again, and what the README shows of one is in its journals."""

from __future__ import annotations

import json
import shlex
from functools import cache
from pathlib import Path

import pytest

from metaopt import cli
from metaopt.cli.run import _confirmed, _findings
from metaopt.core.registry import resolve
from metaopt.core.yaml_file import read_yaml
from metaopt.oneshot import ONESHOT
from metaopt.report.document.equality import same
from metaopt.report.document.files import differing_files
from metaopt.report.pages.ranking import render_ranking
from metaopt.report.pages.run import render_report
from metaopt.report.pages.study import StudyText, check_study
from metaopt.runs.folder import RunFolder
from metaopt.spaces.space import plain, space_from_json
from metaopt.studies.archive import journals
from metaopt.studies.file import StudyPlan, load_study
from metaopt.studies.run import check_folder, unfinished
from metaopt.tables.card import load_card

ROOT = Path(__file__).parents[1]
REFERENCE = sorted(path.parent for path in (ROOT / "results" / "reference").glob("*/journal.jsonl"))
RANKINGS = sorted(path.parent for path in (ROOT / "results" / "reference").rglob("correlation.json"))
ALL_STUDIES = sorted((ROOT / "results" / "reference").rglob("study.yaml"))
#: Of tables that are not part of the project, of which enough journals would be a copy.
PUBLISHED = [file for file in ALL_STUDIES if not load_card(read_yaml(file)["common"]["benchmark"]).protocol]
STUDIES = [file for file in ALL_STUDIES if file not in PUBLISHED]
FINISHED = [file for file in STUDIES if (file.parent / "README.md").is_file()]


@cache
def plan_of(file: Path) -> StudyPlan:
    return load_study(file, {})


def test_there_are_some() -> None:
    assert REFERENCE
    assert STUDIES


@pytest.mark.parametrize("folder", REFERENCE, ids=lambda folder: folder.name)
def test_the_first_line_is_the_command_that_made_it(folder: Path) -> None:
    first = (folder / "README.md").read_text(encoding="utf-8").splitlines()[0].strip("`# ")
    made_by = RunFolder(folder).read().header["command"]
    assert shlex.split(first)[1:] == made_by[1:]
    assert cli._parse(shlex.split(first)[1:]).handler == "metaopt.cli.run:tune"


@pytest.mark.numbers
@pytest.mark.parametrize("folder", REFERENCE, ids=lambda folder: folder.name)
def test_figures_come_from_the_journals(folder: Path) -> None:
    rendered = render_report([folder])
    shown = sorted(folder.glob("figures/*.svg"))
    assert shown
    for figure in shown:
        name = f"figures/{figure.name}"
        assert same(name, rendered[name], figure.read_bytes()), "make it again with metaopt report"


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.parent.name)
def test_no_table_of_others_is_here_in_the_form_of_journals(file: Path) -> None:
    assert (file.parent / "README.md").is_file()
    assert [path.name for path in file.parent.rglob("*journal*")] == []


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.parent.name)
def test_a_study_can_be_run(file: Path) -> None:
    with journals(file.parent) as place:
        check_folder(plan_of(file), file.parent, place)


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.parent.name)
def test_a_search_whose_epochs_are_drawn_picks_a_cell_after_each(file: Path) -> None:
    for run in plan_of(file).runs:
        if run.config.tuner == "grid":
            default = plain(space_from_json(run.space).get_default_configuration())
            assert resolve("one-shot optimizer", ONESHOT, run.config.optimizer).Settings(**default).cell_every == 1


@pytest.mark.numbers
@pytest.mark.parametrize("file", FINISHED, ids=lambda file: file.parent.name)
def test_a_study_says_what_its_journals_say(file: Path) -> None:
    out = file.parent
    plan = plan_of(file)
    command = shlex.split((out / "README.md").read_text(encoding="utf-8").splitlines()[0].strip("`"))
    parsed = cli._parse(command[1:])
    assert parsed.handler == "metaopt.cli.compare:compare"
    assert ROOT / parsed.study == file
    study = StudyText(plan.title, plan.text, shlex.join(command), tuple(run.name for run in plan.runs), ())
    with journals(out) as place:
        assert unfinished(plan, place) == []
        assert check_study(study, out, place) == [], "make it again"


@pytest.mark.numbers
@pytest.mark.parametrize("folder", RANKINGS, ids=lambda folder: folder.name)
def test_a_ranking_study_says_what_its_record_says(folder: Path) -> None:
    record = json.loads((folder / "correlation.json").read_text(encoding="utf-8"))
    parsed = cli._parse(shlex.split(record["command"])[1:])
    assert parsed.handler == "metaopt.cli.correlate:correlate"
    assert ROOT / parsed.out == folder
    assert differing_files(folder, render_ranking(record)) == [], "make it again"


def test_what_the_readme_prints_is_in_the_journals() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folder = RunFolder(ROOT / "results" / "reference" / "darts-digits1-bohb")
    tuned, confirmed = folder.read(), folder.confirmation.read()
    for line in (*_findings(tuned), *_confirmed(confirmed, tuned)):
        assert line in readme


def test_the_readme_s_table_of_tuned_optimizers_is_that_of_the_study() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = (ROOT / "results" / "reference" / "tuned" / "README.md").read_text(encoding="utf-8")
    rows = [row for row in map(_columns, page.splitlines()) if len(row) == 11]
    of_study = {row[0].removesuffix("-bohb"): row for row in rows if row[0].endswith("-bohb")}
    assert set(of_study) == set(ONESHOT)
    for name, (_, default, tuned, selected, ratio, interval, *_, seconds, _, _) in of_study.items():
        assert f"| `{name}` | {default} | {tuned} | {ratio} | {interval} | {selected} | {seconds} |" in readme


def test_the_findings_table_of_tuners_is_that_of_the_study() -> None:
    folder = ROOT / "results" / "reference"
    page = (folder / "tuners" / "README.md").read_text(encoding="utf-8")
    rows = [row for row in map(_columns, page.splitlines()) if len(row) == 9 and row[7] == "20"]
    assert len(rows) == 6
    findings = (folder / "README.md").read_text(encoding="utf-8").replace(" .", " 0.")
    for tuner, default, tuned, ratio, lower_on, *_, p_value in rows:
        assert f"| `{tuner}` | {default} | {tuned} | {ratio.strip('×')} | {lower_on} | {p_value} |" in findings


def _columns(line: str) -> list[str]:
    return [column.strip() for column in line.strip("|").split("|")]
