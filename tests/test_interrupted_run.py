"""Real drivers with a real objective: looked at while they run, met by a second driver, interrupted by signals."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from metaopt.runs.journal import read


@pytest.fixture(params=["serial", "dask"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A driver in the folder ``run`` whose first trials take very long."""
    arguments = harness.command(
        *("tune", "--optimizer", "darts", "--budget", 4, "--tuner", "random", "--confirm", 1),
        *("--executor", request.param, "--folder", tmp_path / "run", "--no-report"),
    )
    log = tmp_path / "log.txt"
    env = harness.environment(tmp_path, FAULTS_SLEEP_S=300, FAULTS_LOG=log)
    with subprocess.Popen(
        arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as driver:
        try:
            harness.wait_until(lambda: log.exists() and "start" in log.read_text(), "the first trial")
            yield driver
        finally:
            driver.kill()
    harness.wait_until(lambda: not harness.processes(tmp_path), "the end of the orphans")


@pytest.mark.slow
def test_a_run_is_seen_from_outside_and_stops_when_asked(driver: subprocess.Popen[str], tmp_path: Path) -> None:
    folder, env = tmp_path / "run", harness.environment(tmp_path)
    status = harness.finish(harness.command("status", folder, "--json"), env)
    seen = json.loads(status.stdout)
    assert seen["state"] == "running"
    assert seen["driver"].startswith(f"process {driver.pid} on")
    assert seen["tuning"]["running"] >= 1

    before = (folder / "journal.jsonl").read_bytes()
    second = harness.finish(harness.command("resume", folder, "--no-report"), env)
    assert second.returncode == 2
    assert f"another driver works on {folder}: process {driver.pid} on" in second.stderr
    assert (folder / "journal.jsonl").read_bytes() == before

    driver.send_signal(signal.SIGINT)
    said = driver.communicate(timeout=harness.HANG_S)
    assert driver.returncode == 130, said
    assert f"interrupted; go on with: metaopt resume {folder}" in said[0]
    assert "Traceback" not in said[1]
    recorded = read(folder / "journal.jsonl")
    assert recorded.trials
    assert not recorded.results
    assert not recorded.torn

    resumed = harness.finish(harness.command("resume", folder, "--no-report"), env)
    assert resumed.returncode == 0, resumed.stderr
    assert sorted(read(folder / "journal.jsonl").results) == [0, 1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
def test_a_signal_to_all_processes_ends_the_run_cleanly(
    driver: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    """As of a terminal's Ctrl-C or of a batch system; a dying child must not be taken for a crashed trial."""
    for process in harness.processes(tmp_path):
        process.send_signal(signal.SIGCONT)  # which SLURM sends first, and which changes nothing
        process.send_signal(number)
    said = driver.communicate(timeout=harness.HANG_S)
    assert driver.returncode == 130, said
    assert "interrupted; go on with: metaopt resume" in said[0]
    assert not read(tmp_path / "run" / "journal.jsonl").results
