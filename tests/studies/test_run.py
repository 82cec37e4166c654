from __future__ import annotations

import io
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import harness
from metaopt.core.errors import MetaoptError, RunError
from metaopt.core.interrupt import Interrupt
from metaopt.objectives import OBJECTIVES
from metaopt.runs import launch
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import decode, without_clock
from metaopt.studies import run as compare
from metaopt.studies.file import StudyPlan, load_study

TEXT = """
title: Two runs
common: {optimizer: darts, budget: 3, executor: serial, confirm: 1}
runs:
  - {tuner: [random, hyperband]}
"""
LOOK_UPS = """
title: Baselines
baselines:
  - {tuner: [random, re], budget: 300, seed: [0, 1]}
"""


def finished(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return harness.finish(harness.command("compare", folder / "study.yaml", *flags), harness.environment(folder))


NAMES = ["darts-random-s0", "darts-hyperband-s0"]


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")


def plan_of(folder: Path, text: str = TEXT) -> StudyPlan:
    folder.mkdir(exist_ok=True)
    (folder / "study.yaml").write_text(text)
    return load_study(folder / "study.yaml", {})


def run(plan: StudyPlan, out: Path, interrupted: Callable[[], bool] = lambda: False) -> bool:
    class Told(Interrupt):
        def __call__(self) -> bool:
            return interrupted()

    return compare.run_missing(
        compare.unfinished(plan, out), out, ["metaopt", "compare"], Console(file=io.StringIO()), Told()
    )


def journals(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("journal.jsonl"))}


def content(out: Path) -> dict[str, object]:
    return {name: without_clock([decode(line) for line in raw.splitlines()]) for name, raw in journals(out).items()}


@pytest.mark.usefixtures("inline")
def test_runs_what_is_missing_and_leaves_alone_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path)
    assert [run.name for run in compare.unfinished(plan, tmp_path)] == NAMES
    assert run(plan, tmp_path)
    assert [run.name for run in compare.unfinished(plan, tmp_path)] == []
    whole = content(tmp_path)
    assert len(whole) == 4

    shutil.rmtree(tmp_path / NAMES[1])
    kept = journals(tmp_path)
    assert [run.name for run in compare.unfinished(plan, tmp_path)] == NAMES[1:]
    assert run(plan, tmp_path)
    assert content(tmp_path) == whole
    assert journals(tmp_path).items() >= kept.items()

    monkeypatch.setattr(launch, "start", lambda *given: pytest.fail("a finished run was started"))
    monkeypatch.setattr(launch, "resume", lambda *given: pytest.fail("a finished run was resumed"))
    assert run(plan, tmp_path)


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("lines", [1, 4, 7, 8])
def test_goes_on_wherever_a_run_was_cut(tmp_path: Path, lines: int) -> None:
    plan = plan_of(tmp_path)
    run(plan, tmp_path)
    whole = content(tmp_path)
    journal = tmp_path / NAMES[0] / "journal.jsonl"
    raw = journal.read_bytes().splitlines(keepends=True)
    assert len(raw) == 8
    journal.write_bytes(b"".join(raw[:lines]) + b'{"kind":"te')
    shutil.rmtree(tmp_path / NAMES[0] / "confirm")
    assert [run.name for run in compare.unfinished(plan, tmp_path)] == NAMES[:1]
    assert run(plan, tmp_path)
    assert content(tmp_path) == whole


@pytest.mark.usefixtures("inline")
def test_stops_when_it_is_interrupted(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert not run(plan, tmp_path, lambda: (tmp_path / NAMES[0] / "confirm").exists())
    assert [run.name for run in compare.unfinished(plan, tmp_path)] == NAMES
    assert not (tmp_path / NAMES[1]).exists()


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("budget: 3", "budget: 4", "were made with budget 3 and not 4: darts-random-s0, darts-hyperband-s0"),
        ("hyperband]}", "hyperband], max_epochs: 9}", "made with max_epochs 27 and not 9: "),
    ],
)
def test_refuses_runs_that_were_made_otherwise(tmp_path: Path, old: str, new: str, message: str) -> None:
    run(plan_of(tmp_path), tmp_path)
    changed = plan_of(tmp_path, TEXT.replace(old, new))
    with pytest.raises(MetaoptError, match=re.escape(message)) as error:
        compare.check_folder(changed, tmp_path, tmp_path)
    assert str(error.value).startswith(f"2 runs in {tmp_path} were made with")
    assert str(error.value).count("made with") == 1
    compare.check_folder(plan_of(tmp_path), tmp_path, tmp_path)


@pytest.mark.usefixtures("inline")
def test_where_runs_run_does_not_matter(tmp_path: Path) -> None:
    run(plan_of(tmp_path), tmp_path)
    compare.check_folder(plan_of(tmp_path, TEXT.replace("executor: serial", "workers: 2")), tmp_path, tmp_path)


@pytest.mark.usefixtures("inline")
def test_refuses_runs_of_another_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(tmp_path)
    run(plan, tmp_path)
    for entry in plan.runs[1].space["hyperparameters"]:  # type: ignore[attr-defined]
        entry["meta"] = {"source": "written anew since"}
    compare.check_folder(plan, tmp_path, tmp_path)
    plan.runs[1].space["hyperparameters"].pop()  # type: ignore[attr-defined]
    with pytest.raises(RunError, match="darts-hyperband-s0 was made with other hyperparameters in its space"):
        compare.check_folder(plan, tmp_path, tmp_path)


@pytest.mark.usefixtures("inline")
def test_a_readme_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    (tmp_path / "README.md").write_text("# My project\n")
    with pytest.raises(RunError, match="would be overwritten"):
        compare.check_folder(plan, tmp_path, tmp_path)
    (tmp_path / "README.md").write_text("`metaopt compare study.yaml`\n")
    compare.check_folder(plan, tmp_path, tmp_path)


@pytest.mark.slow
def test_a_study_that_is_killed_and_stopped_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    for folder in (cut, whole):
        folder.mkdir()
        (folder / "study.yaml").write_text(TEXT)
    done = harness.finish(harness.command("compare", whole / "study.yaml"), harness.environment(whole))
    assert done.returncode == 0, done.stderr

    log = tmp_path / "log.txt"
    env = harness.environment(cut, FAULTS_LOG=log, FAULTS_SLEEP_S=0.5)
    for kind, lines, code in ((signal.SIGKILL, 2, -signal.SIGKILL), (signal.SIGINT, 6, 130)):
        with subprocess.Popen(
            harness.command("compare", cut / "study.yaml"),
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        ) as driver:  # fmt: skip
            harness.wait_until(lambda n=lines: log.exists() and log.read_text().count("start") >= n, "trials")
            driver.send_signal(kind)
            said, complained = driver.communicate(timeout=harness.HANG_S)
        assert driver.returncode == code, (said, complained)
        assert "Traceback" not in complained
        harness.wait_until(lambda: not harness.processes(cut), "the end of the orphans")
    assert f"interrupted; go on with: metaopt compare {cut / 'study.yaml'}" in said
    done = harness.finish(harness.command("compare", cut / "study.yaml"), harness.environment(cut))
    assert done.returncode == 0, done.stderr
    assert content(cut) == content(whole)
    for name in ("README.md", "tuned.csv"):
        assert (cut / name).is_file()


def test_a_run_that_was_extended_is_not_that_of_the_study(tmp_path: Path, inline: None) -> None:
    plan = plan_of(tmp_path)
    assert run(plan, tmp_path)
    folder = RunFolder(tmp_path / NAMES[0])
    launch.resume(folder, {}, Console(file=io.StringIO()), Interrupt(), budget={"budget": 5})
    with pytest.raises(RunError, match=f"{NAMES[0]} was made with budget 5 and not 3"):
        compare.check_folder(plan, tmp_path, tmp_path)


@pytest.mark.slow
def test_several_at_a_time_find_what_they_find_one_by_one_even_if_killed(tmp_path: Path) -> None:
    plan_of(tmp_path / "alone", LOOK_UPS)
    assert finished(tmp_path / "alone", "--at-once", "1").returncode == 0
    plan = plan_of(tmp_path / "cut", LOOK_UPS)
    journals = [tmp_path / "cut" / run.name / "journal.jsonl" for run in plan.runs]
    for kind, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)):
        begun = len(content(tmp_path / "cut"))
        with subprocess.Popen(
            harness.command("compare", tmp_path / "cut" / "study.yaml", "--at-once", "2"),
            env=harness.environment(tmp_path / "cut"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        ) as driver:  # fmt: skip
            harness.wait_until(lambda n=begun: len([j for j in journals if j.is_file()]) > n, "a run")
            driver.send_signal(kind)
            said, complained = driver.communicate(timeout=harness.HANG_S)
        assert driver.returncode == code, (said, complained)
        assert "Traceback" not in complained
        harness.wait_until(lambda: not harness.processes(tmp_path / "cut"), "the end of the workers")
        assert compare.unfinished(plan, tmp_path / "cut")
    assert said.startswith("interrupted; go on with: ")
    done = finished(tmp_path / "cut")
    assert done.returncode == 0, done.stderr
    assert compare.unfinished(plan, tmp_path / "cut") == []
    assert content(tmp_path / "cut") == content(tmp_path / "alone")
    assert len(content(tmp_path / "cut")) == 4


def test_a_run_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (first, *_) = plan_of(tmp_path / "study", LOOK_UPS).runs
    (tmp_path / first.name).mkdir()
    (tmp_path / first.name / "mine.txt").touch()
    with pytest.raises(RunError, match=r"is not empty: it holds mine\.txt"):
        list(compare.run_side_by_side([first], tmp_path, ["metaopt"], 1))
