"""A study of 200 trials on a cluster whose driver, workers and scheduler are killed at random, until it is done."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

import harness
from metaopt.core.trial import Result, Trial
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalRecord, read
from outside import Outside

BUDGET, WORKERS = 200, 2
#: How many of them are killed. A lost scheduler takes its workers and its driver with it, and all of them take seconds
#: to come back.
VICTIMS = {"driver": 6, "nanny": 5, "worker": 12, "fork server": 5, "scheduler": 2}
#: Kills come faster here than any trial gets on; four lost workers would else be called its fault.
PATIENT = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "100"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


class Shelled:
    """A cluster under fire, and the driver of a run on it; whatever is dead is started again.

    Args:
        folder: For the cluster.
        run: The run's folder.
        log: Where trials say that they start.
    """

    def __init__(self, folder: Path, run: Path, log: Path) -> None:
        self.outside, self.run, self.dice = Outside(folder), run, random.Random(20)
        self.environment = harness.environment(run)
        self.trials = {harness.MARK: str(run), "FAULTS_LOG": str(log), "FAULTS_SLEEP_S": "0.3"}
        self.scheduler = self.outside.start_scheduler(**PATIENT)
        self.port = urlsplit(self.outside.address).port or 0
        self.workers: list[subprocess.Popen[bytes]] = []
        self.driver: subprocess.Popen[bytes] | None = None
        self.victims = [name for name, times in VICTIMS.items() for _ in range(times)]
        self.dice.shuffle(self.victims)

    def mend(self) -> bool:
        """Starts what is not there; returns whether the run is done."""
        if self.scheduler.poll() is not None:
            self.scheduler = self.outside.start_scheduler(self.port, **PATIENT)
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < WORKERS:
            self.workers.append(self.outside.start_worker(**self.trials))
        if self.driver is not None and self.driver.poll() is not None:
            if self.driver.returncode == 0:
                return True
            self.driver = None
        if self.driver is None:
            self.driver = self._start()
        return False

    def _start(self) -> subprocess.Popen[bytes]:
        cluster = ("--cluster", self.outside.cluster_file(workers=WORKERS))
        command = ["resume", self.run, *cluster, "--no-report"]
        if not RunFolder(self.run).begun:
            fresh = ("tune", "--optimizer", "darts", "--tuner", "random", "--budget", BUDGET, "--confirm", 0)
            command = [*fresh, "--folder", self.run, *cluster, "--no-report"]
        with open(self.outside.folder / "driver.log", "ab") as output:
            return subprocess.Popen(
                harness.command(*command), env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )

    def shoot(self) -> None:
        """Kills the next victim, if it is there just now; else it is its turn again."""
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            self._find(self.victims[-1]).send_signal(signal.SIGKILL)
            self.victims.pop()

    def _find(self, victim: str) -> psutil.Process:
        """Raises IndexError if it is not there."""
        if victim in ("driver", "scheduler"):
            return psutil.Process([self.driver, self.scheduler][victim == "scheduler"].pid)
        family = [psutil.Process(self.dice.choice(self.workers).pid)]
        for mark in ("spawn_main", "forkserver")[: ("nanny", "worker", "fork server").index(victim)]:
            family = [child for child in family[0].children() if mark in " ".join(child.cmdline())]
        return family[0]

    def close(self) -> None:
        if self.driver is not None:
            self.driver.kill()
            self.driver.wait()
        self.outside.close()


def content(recorded: JournalRecord) -> tuple[dict[int, Trial], dict[int, tuple[object, ...]]]:
    """Returns what does not depend on the order in which results came in, nor on clocks."""
    trials = {trial.id: trial for trial in recorded.trials}
    return trials, {n: (r.status, r.valid_error, r.test_error) for n, r in recorded.results.items()}


def test_nothing_is_lost_or_done_twice_whatever_is_killed(tmp_path: Path) -> None:
    run, log = tmp_path / "run", tmp_path / "log.txt"
    (tmp_path / "cluster").mkdir()
    shelled = Shelled(tmp_path / "cluster", run, log)
    try:
        started = 0
        while not shelled.mend():
            if shelled.victims and log.exists() and (now := log.read_text().count("\n")) > started:
                time.sleep(shelled.dice.uniform(0.0, 0.6))  # trials take half of it
                shelled.shoot()
                started = now
            time.sleep(0.05)
    finally:
        shelled.close()
    assert not shelled.victims, "the run was too fast for them"
    check_exact(read(run / "journal.jsonl"))
    starts = Counter(line.rsplit(" ", 1)[0] for line in log.read_text().splitlines())
    assert not any(start.startswith("again") for start in starts), "a finished trial was run again"
    assert starts.total() > BUDGET, "no trial was ever cut off"
    harness.wait_until(lambda: not harness.processes(run), "the end of the orphans")
    calm = tmp_path / "calm"
    fresh = ("tune", "--optimizer", "darts", "--tuner", "random", "--budget", BUDGET, "--confirm", 0, "--no-report")
    done = harness.finish(harness.command(*fresh, "--folder", calm), harness.environment(calm))
    assert done.returncode == 0, done.stderr
    assert content(read(run / "journal.jsonl")) == content(read(calm / "journal.jsonl"))


def check_exact(recorded: JournalRecord) -> None:
    """Every trial asked for once and told once, as many as the budget says."""
    assert [trial.id for trial in recorded.trials] == list(range(BUDGET))
    tells = [event.record.trial_id for event in recorded.events if isinstance(event.record, Result)]
    assert sorted(tells) == list(range(BUDGET))
    assert recorded.end == f"the budget of {BUDGET} evaluations is used up"
