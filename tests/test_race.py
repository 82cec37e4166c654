"""Ten drivers begin to go on with one run at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import harness
from metaopt.journal import read

DRIVERS = 10


@pytest.mark.slow
def test_of_many_drivers_exactly_one_works(tmp_path: Path) -> None:
    folder, log = tmp_path / "run", tmp_path / "log.txt"
    env = harness.environment(folder, FAULTS_LOG=log, FAULTS_SLEEP_S=40)  # longer than the others take to give up
    arguments = ("tune", "--optimizer", "darts", "--budget", 1, "--tuner", "random", "--confirm", 0, "--run", folder)
    command = harness.command(*arguments, "--executor", "serial", "--no-report")
    first = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    harness.wait_until(log.exists, "the first trial")
    first.kill()
    first.wait()
    resume = harness.command("resume", folder, "--no-report")
    pipe = subprocess.PIPE
    drivers = [subprocess.Popen(resume, env=env, stdout=pipe, stderr=pipe, text=True) for _ in range(DRIVERS)]
    said = [driver.communicate(timeout=harness.HANG_S) for driver in drivers]
    codes = sorted(driver.returncode for driver in drivers)
    assert codes == [0] + [2] * (DRIVERS - 1), said
    refused = [stderr for driver, (_, stderr) in zip(drivers, said, strict=True) if driver.returncode == 2]
    assert all(f"another driver works on {folder}: " in stderr for stderr in refused)
    assert log.read_text().count("start") == 2, "once by the one that was killed, once by the one that works"
    assert list(read(folder / "journal.jsonl").results) == [0]
