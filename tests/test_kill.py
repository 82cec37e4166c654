"""Kills drivers, workers and trials at random instants, resumes, and demands that nothing is lost or done twice."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

import harness
from metaopt.core.trial import Result, Trial
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalRecord, read, without_clock

BUDGET = 14
KILLS = 8

pytestmark = pytest.mark.slow


def tune(folder: Path, executor: str) -> list[str]:
    return harness.command(
        *("tune", "--optimizer", "darts", "--budget", BUDGET, "--tuner", "bohb", "--seed", 3, "--confirm", 1),
        *("--executor", executor, "--folder", folder, "--no-report"),
    )


def check_whole(recorded: JournalRecord, budget: int) -> None:
    """Every id once, asked before it was told, and no more of them than the budget."""
    assert [trial.id for trial in recorded.trials] == list(range(budget))
    tells = [event.record.trial_id for event in recorded.events if isinstance(event.record, Result)]
    assert sorted(tells) == list(range(budget))
    asked: set[int] = set()
    for event in recorded.events:
        if isinstance(event.record, Trial):
            asked.add(event.record.id)
        else:
            assert event.record.trial_id in asked
    assert recorded.end


def run_under_fire(folder: Path, executor: str, victims: str, seed: int, log: Path) -> int:
    """Starts, kills and resumes until the run is done; returns the number of kills."""
    dice, kills = random.Random(seed), 0
    env = harness.environment(folder, FAULTS_LOG=log, FAULTS_SLEEP_S=0.2)
    command = tune(folder, executor)
    for _ in range(KILLS + 20):
        driver = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not RunFolder(folder).begun and driver.poll() is None:
            time.sleep(0.01)
        while kills < KILLS and driver.poll() is None:
            time.sleep(dice.uniform(0.0, 3.0 if victims == "driver" else 1.0))
            kills += shoot(driver, folder, victims, dice)
        stderr = driver.communicate(timeout=harness.HANG_S)[1]
        if driver.returncode == 0:
            return kills
        assert driver.returncode == -signal.SIGKILL, stderr
        harness.wait_until(lambda: not harness.processes(folder), "the end of the orphans")
        command = harness.command("resume", folder, "--no-report")
    raise AssertionError("the run never finished")


def shoot(driver: subprocess.Popen[str], folder: Path, victims: str, dice: random.Random) -> int:
    targets = [psutil.Process(driver.pid)] if driver.poll() is None else []
    if victims == "any":
        targets = harness.processes(folder)
    if not targets:
        return 0
    with contextlib.suppress(psutil.NoSuchProcess):
        dice.choice(targets).send_signal(signal.SIGKILL)
    return 1


def test_a_serial_run_whose_driver_is_killed_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    calm, fire, log = tmp_path / "calm", tmp_path / "fire", tmp_path / "log.txt"
    done = harness.finish(tune(calm, "serial"), harness.environment(calm, FAULTS_SLEEP_S=0.05))
    assert done.returncode == 0, done.stderr
    kills = run_under_fire(fire, "serial", "driver", seed=1, log=log)
    assert kills >= 3
    for journal in ("journal.jsonl", "confirm/journal.jsonl"):
        expected, got = (without_clock(harness.lines(place / journal)) for place in (calm, fire))
        assert got[0] | {"confirms": ""} == expected[0] | {"confirms": ""}
        assert got[1:] == expected[1:]
    check_whole(read(fire / "journal.jsonl"), BUDGET)
    assert "again" not in log.read_text()


@pytest.mark.parametrize("executor", ["serial", "dask"])
def test_any_process_of_a_run_may_be_killed(tmp_path: Path, executor: str) -> None:
    folder, log = tmp_path / "run", tmp_path / "log.txt"
    kills = run_under_fire(folder, executor, "any", seed=5, log=log)
    assert kills >= 3
    recorded = read(folder / "journal.jsonl")
    check_whole(recorded, BUDGET)
    starts = Counter(line.rsplit(" ", 1)[0] for line in log.read_text().splitlines())
    assert not any(start.startswith("again") for start in starts), "a finished trial was run again"
    harness.wait_until(lambda: not harness.processes(folder), "the end of the orphans")


def test_a_trial_dies_with_its_worker(tmp_path: Path) -> None:
    """Not only when nothing else is killed: the fork server between the two must not keep it alive."""
    folder, log = tmp_path / "run", tmp_path / "log.txt"
    env = harness.environment(folder, FAULTS_LOG=log, FAULTS_SLEEP_S=600)
    driver = subprocess.Popen(tune(folder, "dask"), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        harness.wait_until(log.exists, "the first trial")
        harness.wait_until(lambda: log.read_text().count("\n") >= 1)
        trial = psutil.Process(int(log.read_text().split("\n")[0].split()[-1]))
        server = trial.parent()
        assert server is not None
        worker = server.parent()
        assert worker is not None
        assert worker.ppid() == driver.pid
        worker.kill()
        harness.wait_until(lambda: not trial.is_running() or trial.status() == psutil.STATUS_ZOMBIE, "its end")
        assert driver.poll() is None
    finally:
        driver.kill()
        driver.wait()
    harness.wait_until(lambda: not harness.processes(folder), "the end of the orphans")
