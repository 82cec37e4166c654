from __future__ import annotations

import html.parser
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace

from metaopt.core.errors import RunError
from metaopt.core.trial import Result, Trial
from metaopt.report.document.html import script
from metaopt.report.pages.run import check_report, render_report, write_report
from metaopt.runs.journal_lines import encode

EVIL = "<script>alert(1)</script>"


class Outline(html.parser.HTMLParser):
    """Collects tags and ids, and whether every element is closed in its turn."""

    VOID = ("meta", "link", "br", "img", "input")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.handlers: list[str] = []
        page = page.replace(f"<script>{script()[0]}</script>", "")
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.handlers += [name for name in given if name.startswith("on")]
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [str(given[name]) for name in ("href", "src", "xlink:href") if name in given]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path]) -> Path:
    folder = make_run("the-run", n=24)
    write_report([folder])
    return folder


def test_the_page_stands_alone(run: Path) -> None:
    outline = Outline((run / "report" / "report.html").read_text())
    assert outline.open == []
    assert not outline.tags & {"script", "iframe", "object", "embed", "form"}
    assert len(set(outline.ids)) == len(outline.ids)
    assert all(link == "data:," or link.startswith("#") for link in outline.links)
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)


def test_every_figure_comes_as_png_and_svg(run: Path) -> None:
    names = sorted(path.name for path in (run / "report" / "figures").iterdir())
    stems = {name.rpartition(".")[0] for name in names}
    assert len(names) == 2 * len(stems) == 2 * 16
    assert {"confirmation", "anytime-seconds", "importance", "parallel", "best-cell"} <= stems
    assert {path.name for path in (run / "report").iterdir() if path.is_file()} == {
        "report.html",
        "trials.csv",
        "trials.parquet",
    }


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(run: Path, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from metaopt.report.pages.run import write_report"
    code += "; write_report([Path(sys.argv[1])], Path(sys.argv[2]))"
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "MPLBACKEND": "svg", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code, str(run), str(tmp_path)], env=environment, check=True)
    assert check_report([run], tmp_path) == []


def test_the_check_names_what_differs(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run / "report", tmp_path / "copy")
    (copy / "trials.csv").write_text("nothing")
    (copy / "figures" / "parallel.png").rename(copy / "figures" / "other.png")
    surplus = "figures/other.png (left over: remove it)"
    assert check_report([run], copy) == ["figures/parallel.png", "trials.csv", surplus]


def test_a_check_needs_a_report(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no report to check"):
        check_report([run], tmp_path)


def test_nothing_from_a_journal_becomes_markup(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    space = {
        "hyperparameters": [
            {"type": "categorical", "name": EVIL, "choices": [EVIL, "b"], "default_value": EVIL},
            {"type": "uniform_float", "name": "$x_1$", "lower": 0, "upper": 1, "default_value": 0.5},
        ]
    }
    answers = [answer(i, 0.1 + i / 100, config={EVIL: (EVIL, "b")[i % 2], "$x_1$": i / 10}) for i in range(4)]
    answers.append(answer(4, None, reason=EVIL))
    head = {"run": {"tuner": EVIL, "benchmark": EVIL}, "command": [EVIL], "host": {EVIL: EVIL}, "space": space}
    page = render_report([write_run(answers, **head)])["report.html"].decode()
    assert page.count("&lt;script&gt;alert(1)") > 8
    assert page.count("<script") == 1, "the one that sorts tables"
    assert not Outline(page).tags & {"script"}


@pytest.mark.parametrize(
    ("evil", "shown"),
    [
        ('"><img src=x onerror=alert(1)>', "&gt;&lt;img src=x onerror=alert(1)&gt;"),
        ("' onmouseover='alert(1)", "&#39; onmouseover=&#39;alert(1)"),
        ("</title><svg/onload=alert(1)>", "&lt;/title&gt;&lt;svg/onload=alert(1)&gt;"),
        ("{{ 7 * 7 }}", "{{ 7 * 7 }}"),
        ("safe\u202egpj.exe\u2066", "safe\\u202egpj.exe\\u2066"),
    ],
)
def test_no_name_is_more_than_a_name(
    write_run: Callable[..., Path], answer: Callable[..., object], evil: str, shown: str
) -> None:
    name = evil if evil.isprintable() else "x"  # a journal has no other in a configuration
    space = {"hyperparameters": [{"type": "categorical", "name": name, "choices": [name, "b"], "default_value": name}]}
    answers = [answer(i, 0.1 + i / 100, config={name: (name, "b")[i % 2]}) for i in range(4)]
    answers.append(answer(4, None, reason=evil))
    options = {"over": evil, evil: evil}
    head = {"run": {"tuner": evil, "benchmark": evil, "tuner_options": options}, "command": [evil], "space": space}
    plain = write_run(answers, **head)
    folder = plain.rename(plain.with_name(evil.replace("/", "-")))
    page = render_report([folder])["report.html"].decode()
    outline = Outline(page)
    assert outline.open == []
    assert not outline.tags & {"img", "script"}
    assert not outline.handlers
    assert page.count(shown) > 4
    assert not any(mark in page for mark in "\u202e\u2066")


def test_a_run_without_any_result_has_a_page(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    assert "no finished trial yet" in render_report([write_run([])])["report.html"].decode()
    page = render_report([write_run([answer(0, None, reason="exploded")])])["report.html"].decode()
    assert "no trial succeeded" in page
    assert "exploded" in page


def test_an_objective_that_says_only_an_error_has_a_page(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    answers = [answer(i, 0.5 - i / 10) for i in range(4)]
    folder = write_run(answers, run=None, space=None, objective=None, default=None, versions=None, host=None)
    assert "0.2000" in render_report([folder])["report.html"].decode()


@pytest.mark.slow
def test_several_runs_share_a_page(make_run: Callable[..., Path], tmp_path: Path) -> None:
    tuners = ("bohb", "tpe")
    folders = [make_run(f"{tuner}-s{s}", n=4, seed=s, confirm=0, tuner=tuner) for tuner in tuners for s in range(2)]
    page = write_report(folders, tmp_path / "both")
    outline = Outline(page.read_text())
    assert "4 runs compared" in page.read_text()
    assert "Group against group" in page.read_text(), "as metaopt compare does"
    assert check_report(folders, tmp_path / "both") == []
    assert len(set(outline.ids)) == len(outline.ids)
    names = {path.name for path in (tmp_path / "both" / "figures").iterdir()}
    assert {"anytime-evaluations.svg", "anytime-evaluations.png"} <= names
    assert {"trials.csv", "runs.csv", "pairs.csv"} <= {path.name for path in (tmp_path / "both").iterdir()}


@pytest.mark.slow
def test_runs_whose_names_look_alike_have_all_their_figures(
    write_run: Callable[..., Path], answer: Callable[..., object], tmp_path: Path
) -> None:
    space = {
        "hyperparameters": [
            {"type": "uniform_float", "name": name, "lower": 0, "upper": 1, "default_value": 0.5}
            for name in ("率", "速")
        ]
    }
    answers = [answer(n, 0.3 - n / 20, 0.3, config={"率": n / 4, "速": 0.5}) for n in range(4)]
    settings = {"tuner": "random", "cell_space": 1}
    folders = [
        write_run(answers, name=name, space=space, run={**settings, "benchmark": benchmark})
        for name, benchmark in zip(("学习", "测试"), ("学 1", "习 1"), strict=True)
    ]
    page = write_report(folders, tmp_path / "both").read_text()
    outline = Outline(page)
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)
    files = {path.name.casefold() for path in (tmp_path / "both" / "figures").iterdir()}
    assert len(files) == 2 * page.count("<svg")
    assert check_report(folders, tmp_path / "both") == []


@pytest.mark.slow
def test_a_page_of_very_many_trials_is_small_and_says_what_it_shows(write_run: Callable[..., Path]) -> None:
    space = ConfigurationSpace(dict.fromkeys("abcdef", (0.0, 1.0)))
    rng, run, lines = np.random.default_rng(0), write_run([], space=space.to_serialized_dict(), default={}), []
    for n, values in enumerate(rng.uniform(size=(10_000, 7)).tolist()):
        trial = Trial(n, n, dict(zip("abcdef", values, strict=False)), 8, n)
        result = Result(n, "ok", 0.5 - n / 30_000 + values[6] / 10, 0.5 - n / 30_000)
        lines += [encode({"kind": "ask", "at_s": n, "trial": trial.to_json()})]
        lines += [encode({"kind": "tell", "at_s": n, "result": result.to_json()})]
    with open(run / "journal.jsonl", "ab") as journal:
        journal.writelines(lines)
    files = render_report([run])
    page = files["report.html"].decode()
    assert len(page) < 3_000_000
    assert page.count("Drawn are 500 of 10,000 trials") == 2 * 2 + 2 * 7, "in caption and label"
    assert "The table of trials has 500 of 10,000 trials" in page
    assert files["trials.csv"].count(b"\n") == 10_001


def test_several_runs_need_a_place(run: Path) -> None:
    with pytest.raises(RunError, match="2 runs has no folder of its own"):
        write_report([run, run])


def test_an_unwritable_place_is_said(write_run: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot be written"):
        write_report([write_run([])], tmp_path / "file")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_missing_run_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run folder"):
        write_report([tmp_path / "missing"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
