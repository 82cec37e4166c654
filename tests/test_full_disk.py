"""Runs whose folder is on a real file system that fills up, or may not be written: nothing is lost, all goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harness
import logged
from metaopt.cli import main
from metaopt.core.errors import RunError
from metaopt.core.paths import TRAJECTORY
from metaopt.executors.base import Recipe, Task
from metaopt.executors.process.child import run_trial
from metaopt.executors.serial import SerialExecutor
from metaopt.objectives import OBJECTIVES
from metaopt.runs.journal import read
from metaopt.testing.executor_contract import trial
from small_disks import fill, mount, small_disk, use_up_inodes

_ROOM = "2m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with little room."""
    with small_disk(tmp_path / "disk", f"size={_ROOM}") as place:
        yield place


@pytest.fixture
def read_only(disk: Path) -> Path:
    mount("-o", "remount,ro", disk)
    return disk


def tune(folder: Path, *more: object) -> list[str]:
    return harness.command(
        *("tune", "--optimizer", "darts", "--budget", 2, "--tuner", "random", "--seed", 3, "--confirm", 0, *more),
        *("--executor", "serial", "--folder", folder, "--no-report"),
    )


def fails_on_a_full_disk(
    disk: Path, command: list[str], env: dict[str, str], begun: Callable[[], bool]
) -> tuple[Path, str]:
    """Runs a driver, fills the disk once it has begun, and returns what takes the room and the driver's complaint."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as driver:
        harness.wait_until(begun, "the first trial")
        filler = fill(disk)
        said = driver.communicate(timeout=harness.HANG_S)
    assert driver.returncode == 2, said
    assert "Traceback" not in said[1]
    return filler, said[1]


def goes_on(folder: Path, env: dict[str, str]) -> None:
    done = harness.finish(harness.command("resume", folder, "--no-report"), env)
    assert done.returncode == 0, done.stderr
    results = read(folder / "journal.jsonl").results
    assert [results[trial].status for trial in range(2)] == ["ok", "ok"]


@pytest.mark.slow
def test_a_result_that_finds_no_room_ends_the_run_and_not_the_trial(disk: Path, tmp_path: Path) -> None:
    folder, log = disk / "run", tmp_path / "log.txt"
    env = harness.environment(folder, FAULTS_SLEEP_S=3, FAULTS_LOG=log)
    filler, said = fails_on_a_full_disk(disk, tune(folder), env, log.exists)
    assert "trial 0 cannot write to" in said
    assert "No space left on device" in said
    assert "no finished trial is lost" in said
    assert read(folder / "journal.jsonl").results == {}
    filler.unlink()
    goes_on(folder, env)


@pytest.mark.slow
def test_a_checkpoint_that_finds_no_room_costs_the_epoch_in_flight(disk: Path, tmp_path: Path) -> None:
    folder, log = disk / "run", tmp_path / "log.txt"
    env = harness.environment(folder, DRIVER_OBJECTIVE="logged:LoggedSearch", EPOCHS_LOG=log)
    search = ("--min-epochs", 5, "--max-epochs", 5, "--channels", 4, "--cells", 3, "--subset", 400)
    shown = folder / "trials" / "00000" / TRAJECTORY
    filler, said = fails_on_a_full_disk(
        disk, tune(folder, *search), env, lambda: shown.exists() and "epoch" in shown.read_text()
    )
    assert "trial 0 cannot write to" in said
    filler.unlink()
    goes_on(folder, env)
    first, second = logged.epochs(log).values()
    assert sorted(set(first)) == second == list(range(5))
    assert len(first) == 6, "only what was in flight was trained again"


@pytest.mark.slow
def test_no_room_for_another_trial_or_its_line_ends_the_run(disk: Path, tmp_path: Path) -> None:
    """Whichever of the two is met first."""
    folder, log = disk / "run", tmp_path / "log.txt"
    env = harness.environment(folder, DRIVER_OBJECTIVE="faults:Inline", FAULTS_SLEEP_S=0.1, FAULTS_LOG=log)
    filler, said = fails_on_a_full_disk(disk, tune(folder, "--budget", 40), env, log.exists)
    assert "No space left on device" in said
    assert "no finished trial is lost" in said
    filler.unlink()
    goes_on(folder, env)


@pytest.mark.slow
def test_a_run_on_what_may_not_be_written_is_refused_and_goes_on_later(disk: Path) -> None:
    folder = disk / "run"
    env = harness.environment(folder)
    assert harness.finish(tune(folder), env).returncode == 0
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))  # as of an interrupted run
    mount("-o", "remount,ro", disk)
    refused = harness.finish(harness.command("resume", folder, "--no-report"), env)
    assert refused.returncode == 2
    assert "Read-only file system" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert harness.finish(harness.command("status", folder), env).returncode == 0
    mount("-o", "remount,rw", disk)
    goes_on(folder, env)


@pytest.mark.parametrize("objective", ["Faults", "Inline"])
def test_no_trial_is_told_as_crashed_where_none_can_be_written(read_only: Path, objective: str) -> None:
    task = Task(Recipe(f"faults:{objective}", {}, objective == "Faults"), trial(0), read_only / "0")
    with pytest.raises(RunError, match=r"trial 0 cannot write to .*: Read-only file system"):
        run_trial(task)


def test_an_executor_says_so_at_once(read_only: Path) -> None:
    with (
        SerialExecutor(Recipe("faults:Faults", {})) as crew,
        pytest.raises(RunError, match="Read-only file system"),
    ):
        crew.submit(trial(0), read_only / "0")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run on another file system."""
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")
    assert main([*START, str(tmp_path / "finished")]) == 0
    return tmp_path / "finished"


START = (
    *("tune", "--optimizer", "darts", "--budget", "2", "--tuner", "random", "--executor", "serial", "--confirm", "0"),
    *("--no-report", "--folder"),
)
CSV = "cell,epochs,seed,valid_error,test_error\n111:conv3x3,108,0,0.1,0.1\n"


@pytest.mark.parametrize(
    ("options", "fails"),
    [
        ("size=64k", "No space left on device\n"),
        ("nr_inodes=8", "No space left on device, as the file system may hold no more files\n"),
        ("size=64k,ro", "Read-only file system\n"),
    ],
    ids=["no room", "no inode", "read-only"],
)
@pytest.mark.parametrize(
    "command",
    [
        [*START, "DISK/run"],
        ["export", "RUN", "--to", "csv", "--out", "DISK/trials.csv"],
        ["export", "RUN", "--to", "parquet", "--out", "DISK/trials.parquet"],
        ["export", "RUN", "--to", "optuna", "--out", "DISK/trials.db"],
        ["report", "RUN", "--out", "DISK/report"],
        ["benchmark", "import", "csv", "CSV", "--out", "DISK/table.parquet"],
        ["cluster", "certificates", "DISK/keys"],
    ],
    ids=["tune", "csv", "parquet", "optuna", "report", "import", "certificates"],
)
def test_every_command_says_what_is_in_its_way(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str], command: list[str], options: str, fails: str
) -> None:
    (tmp_path / "own.csv").write_text(CSV)
    with small_disk(tmp_path / "disk", options) as disk:
        if "ro" not in options:
            (use_up_inodes if "inodes" in options else fill)(disk)
        names = {"RUN": str(run), "CSV": str(tmp_path / "own.csv")}
        capsys.readouterr()
        assert main([names.get(word, word.replace("DISK", str(disk))) for word in command]) == 2
        said = capsys.readouterr().err
    assert fails in said
    assert "Traceback" not in said
    assert "the operating system refused" not in said, "no part knew what it was about"
