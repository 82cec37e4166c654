from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

import harness
from metaopt.core.errors import RunError
from metaopt.runs.journal import decode, without_clock
from metaopt.studies.file import StudyPlan, load_study
from metaopt.studies.run import unfinished
from metaopt.studies.side_by_side import Lone, run_side_by_side

STUDY = """
title: Baselines
baselines:
  - {tuner: [random, re], budget: 300, seed: [0, 1]}
"""


def plan_of(folder: Path) -> StudyPlan:
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    return load_study(folder / "study.yaml", {})


def content(folder: Path) -> dict[str, object]:
    return {
        path.parent.name: without_clock([decode(line) for line in path.read_bytes().splitlines()])
        for path in sorted(folder.rglob("journal.jsonl"))
    }


def compare(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return harness.finish(harness.command("compare", folder / "study.yaml", *flags), harness.environment(folder))


@pytest.mark.slow
def test_several_at_a_time_find_what_they_find_one_by_one_even_if_killed(tmp_path: Path) -> None:
    plan_of(tmp_path / "alone")
    assert compare(tmp_path / "alone", "--at-once", "1").returncode == 0
    plan = plan_of(tmp_path / "cut")
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
        assert unfinished(plan, tmp_path / "cut")
    assert said.startswith("interrupted; go on with: ")
    done = compare(tmp_path / "cut")
    assert done.returncode == 0, done.stderr
    assert unfinished(plan, tmp_path / "cut") == []
    assert content(tmp_path / "cut") == content(tmp_path / "alone")
    assert len(content(tmp_path / "cut")) == 4


def test_a_run_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (run, *_) = plan_of(tmp_path / "study").runs
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").touch()
    with pytest.raises(RunError, match=r"taken is not empty: it holds mine\.txt"):
        list(run_side_by_side([Lone(run.config, run.space, tmp_path / "taken", ["metaopt"])], 1))
