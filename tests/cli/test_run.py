from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest

from metaopt import launch
from metaopt.cli import main
from metaopt.objectives import OBJECTIVES
from metaopt.run_folder import RunFolder
from metaopt.run_settings import RunConfig


def test_a_journal_damaged_in_the_tail_goes_on(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--run", "mine"]) == 0
    path = Path("mine/journal.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + lines[4][:-5])
    capsys.readouterr()
    assert main(["status", "mine"]) == 0
    said = capsys.readouterr().out
    assert "interrupted; go on with: metaopt resume mine" in said
    assert "journal    line 5, byte" in said
    assert main(["resume", "mine", "--no-report"]) == 0
    assert path.read_bytes().count(b"\n") == len(lines)


def test_a_run_says_what_it_found(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tune) == 0
    said = capsys.readouterr()
    assert "run folder: runs/darts-digits1-random-s0" in said.err
    assert "finished: the budget of 4 evaluations is used up" in said.out
    assert "incumbent valid error" in said.out
    assert "regret" in said.out
    assert "searched again with fresh seeds:" in said.out
    assert main(tune) == 0
    assert "run folder: runs/darts-digits1-random-s0-2" in capsys.readouterr().err


def test_the_report_is_written_at_the_end(
    tune: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metaopt.report.html.write_report", lambda folders, out: f"{folders[0]}/report, {out}")
    assert main([*tune[:-1], "--run", "mine"]) == 0
    assert capsys.readouterr().out.endswith("report: mine/report, None\n")


def test_a_failing_evaluation_is_said(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--budget", "12", "--run", "mine", "--confirm", "0"]) == 0
    said = capsys.readouterr()
    assert "crashed: ArithmeticError: on purpose" in said.err
    assert "12 evaluations, " in said.out
    assert "searched again" not in said.out


def test_a_run_of_failures_only_keeps_its_budget(
    tune: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Doomed")
    assert main([*tune, "--budget", "20", "--run", "a run"]) == 2
    said = capsys.readouterr().err
    assert "5 evaluations in a row failed in the same way, and none has succeeded" in said
    assert "LookupError: no such table" in said
    assert "go on with: metaopt resume 'a run'" in said
    assert len(RunFolder(Path("a run")).read().results) == 5
    assert main(["resume", "a run"]) == 2
    Path("cured").touch()
    assert main(["resume", "a run", "--no-report"]) == 0
    recorded = RunFolder(Path("a run")).read()
    assert len(recorded.results) == 20
    assert sum(result.status == "ok" for result in recorded.results.values()) > 5


def test_a_run_that_ends_without_a_success_has_failed(
    tune: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Doomed")
    assert main(tune) == 1
    assert "none of 4 evaluations has succeeded" in capsys.readouterr().err
    assert main([*tune, "--budget", "8", "--stop-after-failures", "0", "--run", "all"]) == 1
    assert len(RunFolder(Path("all")).read().results) == 8
    assert main(["resume", "all", "--no-report"]) == 1


def test_nothing_is_asked(tune: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:
            pytest.fail("it reads from standard input")

    monkeypatch.setattr(sys, "stdin", Asked())
    assert main(tune) == 0


def test_an_interrupt_before_anything_runs_leaves_nothing_behind(
    tune: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = launch.prepare

    def interrupted(config: RunConfig) -> launch.Prepared:
        os.kill(os.getpid(), signal.SIGINT)
        return prepare(config)

    monkeypatch.setattr(launch, "prepare", interrupted)
    assert main(tune) == 130
    assert not list(tmp_path.iterdir())
