"""Reference results: each says the command that makes it again, and its page says what its journals say.

Figures are not drawn here, but for one study: that is what takes long, and the tests of ``report`` do it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from metaopt.cli import commands
from metaopt.cli.parser import parse
from metaopt.cli.run import _confirmed, _findings
from metaopt.core.registry import resolve
from metaopt.core.yaml_file import read_yaml
from metaopt.oneshot import ONESHOT
from metaopt.report.document import page as document
from metaopt.report.document.equality import same
from metaopt.report.document.markdown import README
from metaopt.report.figures.style import Picture, Plot
from metaopt.report.pages import ranking
from metaopt.report.pages.study import StudyText, render_study
from metaopt.runs.folder import RunFolder
from metaopt.runs.record import RunRecord
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
    assert parse(commands.build(), shlex.split(first)[1:]).handler == "metaopt.cli.run:tune"


@pytest.fixture
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves figures empty."""

    def picture(plot: Plot) -> Picture:
        return Picture(plot.name, plot.title, plot.caption, "", b"", b"")

    monkeypatch.setattr(document, "render", picture)


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
        if run.settings.tuner == "grid":
            default = plain(space_from_json(run.space).get_default_configuration())
            assert resolve("one-shot optimizer", ONESHOT, run.settings.optimizer).Settings(**default).cell_every == 1


@pytest.mark.numbers
@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("file", FINISHED, ids=lambda file: file.parent.name)
def test_a_study_says_what_its_journals_say(file: Path) -> None:
    out = file.parent
    plan = plan_of(file)
    command = shlex.split((out / "README.md").read_text(encoding="utf-8").splitlines()[0].strip("`"))
    parsed = parse(commands.build(), command[1:])
    assert parsed.handler == "metaopt.cli.compare:compare"
    assert ROOT / parsed.study == file
    study = StudyText(plan.title, plan.text, shlex.join(command), tuple(run.name for run in plan.runs), ())
    with journals(out) as place:
        assert unfinished(plan, place) == []
        page = render_study(study, place)[README]
    assert same(README, page, (out / README).read_bytes()), "make it again"


@pytest.mark.numbers
@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("folder", RANKINGS, ids=lambda folder: folder.name)
def test_a_ranking_study_says_what_its_record_says(folder: Path) -> None:
    record = json.loads((folder / "correlation.json").read_text(encoding="utf-8"))
    parsed = parse(commands.build(), shlex.split(record["command"])[1:])
    assert parsed.handler == "metaopt.cli.correlate:correlate"
    assert ROOT / parsed.out == folder
    page = ranking.render_ranking(record)[README]
    assert same(README, page, (folder / README).read_bytes()), "make it again"


@pytest.mark.slow
def test_what_a_page_links_to_is_built_from_its_journals(tmp_path: Path) -> None:
    out = tmp_path / "warm-start"
    shutil.copytree(ROOT / "results" / "reference" / "paper" / "warm-start", out, ignore=_built)
    build = [sys.executable, ROOT / ".ci" / "results", out]
    assert subprocess.run(build, capture_output=True, text=True, check=True).stdout.startswith(str(out))
    links = re.findall(r"\]\(([^)]+)\)", (out / README).read_text(encoding="utf-8"))
    assert [link for link in links if not (out / link).exists()] == []
    assert {Path(link).suffix for link in links} >= {".csv", ".svg", ".tex"}
    assert subprocess.run(build, capture_output=True, text=True, check=True).stdout == "", "nothing has changed"


def _built(folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name not in {"study.yaml", "warm_start.yaml"} and "journal" not in name and "." in name
    }


def test_the_results_are_small_and_hold_few_figures() -> None:
    listed = subprocess.run(["git", "ls-files", "-z", "results"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no repository")
    files = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    assert sum(file.stat().st_size for file in files) <= 20 * 2**20
    figures = {file.with_suffix("") for file in files if file.suffix in {".png", ".svg"}}
    assert len(figures) <= 10


def test_what_the_readme_prints_is_in_the_journals() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    record = RunRecord.read(RunFolder(ROOT / "results" / "reference" / "darts-digits1-bohb"))
    for line in (*_findings(record), *_confirmed(record)):
        assert line in readme


def test_the_table_of_tuned_optimizers_is_that_of_the_study() -> None:
    results = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    page = (ROOT / "results" / "reference" / "tuned" / "README.md").read_text(encoding="utf-8")
    rows = [row for row in map(_columns, page.splitlines()) if len(row) == 11]
    of_study = {row[0].removesuffix("-bohb"): row for row in rows if row[0].endswith("-bohb")}
    assert set(of_study) == set(ONESHOT)
    for name, (_, default, tuned, selected, ratio, interval, *_, seconds, _, _) in of_study.items():
        assert f"| `{name}` | {default} | {tuned} | {ratio} | {interval} | {selected} | {seconds} |" in results


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
