from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from metaopt.cli import main
from metaopt.objectives import OBJECTIVES
from metaopt.runs import journal
from metaopt.runs.folder import RunFolder
from metaopt.runs.plan import PlannedRun, plan
from metaopt.settings.run import TuneSettings


def test_a_journal_damaged_in_the_tail_goes_on(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
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
    monkeypatch.setattr("metaopt.report.pages.run.write_report", lambda folders, out: f"{folders[0]}/report, {out}")
    assert main([*tune[:-1], "--folder", "mine"]) == 0
    assert capsys.readouterr().out.endswith("report: mine/report, None\n")


def test_a_failing_evaluation_is_said(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--budget", "12", "--folder", "mine", "--confirm", "0"]) == 0
    said = capsys.readouterr()
    assert "crashed: ArithmeticError: on purpose" in said.err
    assert "12 evaluations, " in said.out
    assert "searched again" not in said.out


def test_a_run_of_failures_only_keeps_its_budget(
    tune: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Doomed")
    assert main([*tune, "--budget", "20", "--folder", "a run"]) == 2
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
    assert main([*tune, "--budget", "8", "--stop-after-failures", "0", "--folder", "all"]) == 1
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
    def interrupted(settings: TuneSettings) -> PlannedRun:
        os.kill(os.getpid(), signal.SIGINT)
        return plan(settings)

    monkeypatch.setattr("metaopt.runs.plan.plan", interrupted)
    assert main(tune) == 130
    assert not list(tmp_path.iterdir())


class Listener:
    """Counts who connects to it."""

    def __init__(self) -> None:
        self.count = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.socket.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.socket.accept()[0].close()
                self.count += 1


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.socket.close()


def foreign(run: str, lines: int, **settings: object) -> None:
    """Lets a journal say that its run was made with other settings, with the right checksum, and cuts it."""
    path = Path(run) / "journal.jsonl"
    kept = [journal.decode(line) for line in path.read_bytes().splitlines()][:lines]
    kept[0]["run"].update(settings)
    path.write_bytes(b"".join(journal.encode({k: v for k, v in line.items() if k != "crc"}) for line in kept))


@pytest.mark.parametrize("by", ["file", "address", "option"])
def test_a_run_folder_of_others_connects_to_nothing(
    tune: list[str], capsys: pytest.CaptureFixture[str], listener: Listener, by: str
) -> None:
    assert main([*tune, "--folder", "the irs"]) == 0
    cluster = {"file": "the irs/cluster.yaml", "address": listener.address, "option": "-x"}[by]
    Path("the irs/cluster.yaml").write_text(f"kind: scheduler\naddress: {listener.address}\n")
    foreign("the irs", 3, executor="dask", cluster=cluster, workers=None)
    before = Path("the irs/journal.jsonl").read_bytes()
    capsys.readouterr()
    assert main(["resume", "the irs"]) == 2
    said = capsys.readouterr().err
    pasted = said.partition("say so: ")[2].partition("; on this machine")[0]
    assert shlex.split(pasted) == ["metaopt", "resume", "the irs", "--cluster", {"-x": "./-x"}.get(cluster, cluster)]
    assert "on this machine: metaopt resume 'the irs' --executor dask" in said
    assert Path("the irs/journal.jsonl").read_bytes() == before
    assert main(["resume", "the irs", "--executor", "serial", "--no-report"]) == 0
    assert listener.count == 0


def test_a_cluster_that_is_named_again_is_taken(
    tune: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a flag, or by the environment; what is wrong with it is then found."""
    assert main([*tune, "--folder", "mine"]) == 0
    foreign("mine", 3, executor="dask", cluster=str(Path("none.yaml").resolve()), workers=None)
    assert main(["resume", "mine", "--cluster", "none.yaml"]) == 2
    assert "no such file" in capsys.readouterr().err
    monkeypatch.setenv("METAOPT_CLUSTER", "another.yaml")
    assert main(["resume", "mine"]) == 2
    assert "if it is yours, say so" in capsys.readouterr().err
    monkeypatch.setenv("METAOPT_CLUSTER", "none.yaml")
    assert main(["resume", "mine"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_finished_run_needs_no_cluster(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
    foreign("mine", 1000, executor="dask", cluster="tls://nowhere:1", workers=None)
    assert main(["resume", "mine", "--no-report"]) == 0
    shutil.rmtree("mine/confirm")
    assert main(["resume", "mine", "--no-report"]) == 2
    assert "if it is yours, say so" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["tuner", "optimizer", "executor", "benchmark"])
def test_a_journal_names_no_code(tune: list[str], capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Not by the name of a module, nor by a path to one."""
    Path("evil.py").write_text("open('executed', 'w')\nclass Evil: pass\n")
    begun = tune if name != "benchmark" else ["baseline", "--budget", "4", "--no-report"]
    assert main([*begun, "--folder", "mine"]) == 0
    for value in ("evil:Evil", "../evil", "evil.py"):
        foreign("mine", 3, **{name: value})
        assert main(["resume", "mine"]) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not Path("executed").exists()


def test_a_long_path_of_temporary_files_is_named_before_anything_begins(
    tune: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Faults")
    monkeypatch.setattr("tempfile.tempdir", "/tmp/" + "t" * 120)
    for executor in ("dask", "serial"):
        assert main([*tune, "--executor", executor, "--folder", "mine"]) == 2
        assert "set TMPDIR to a shorter path" in capsys.readouterr().err
    assert not Path("mine").exists()


def test_a_finished_run_goes_on_with_a_larger_budget_and_is_confirmed_further(
    tune: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*tune, "--run", "mine"]) == 0
    assert main(["resume", "mine", "--budget", "8", "--no-report"]) == 0
    assert "finished: the budget of 8 evaluations is used up" in capsys.readouterr().out
    assert main(["confirm", "mine", "--to", "5", "--no-report"]) == 0
    assert "5 of 5 searches" in capsys.readouterr().out
    assert main(["confirm", "mine", "--to", "0"]) == 2
    assert "--to is 0; allowed: 1 or more" in capsys.readouterr().err
    assert main(["resume", "mine", "--budget", "8"]) == 2
    assert "budget 8 does not extend the run; allowed: more than 8" in capsys.readouterr().err
