"""A run on a real SLURM, whose jobs are canceled, killed, cut off by their wall time, and kept waiting."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import harness
import logged
import real_slurm
from faults import hold_of
from real_slurm import Slurm

BUDGET, EPOCHS = 4, 2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def slurm() -> Iterator[Slurm]:
    slurm = real_slurm.started()
    yield slurm
    slurm.close()


class HeldRun:
    """A run of real searches on two jobs at a time, none of which goes on while it is held.

    Args:
        folder: An empty one.
        slurm: Where its jobs run.
    """

    def __init__(self, folder: Path, slurm: Slurm) -> None:
        self.run, self._log = folder / "run", folder / "epochs.log"
        hold_of(self._log).touch()
        places = {"DRIVER_OBJECTIVE": "logged:LoggedSearch", "EPOCHS_LOG": self._log}
        cluster = {"kind": "slurm", "workers": 2, "memory": "2GB", "walltime": "00:10:00", "interface": "lo"}
        (folder / "cluster.yaml").write_text(yaml.safe_dump({**cluster, "shared": str(folder / "shared")}))
        self._command = harness.command(
            *("tune", "--optimizer", "darts", "--tuner", "random", "--budget", BUDGET, "--confirm", 0, "--no-report"),
            *("--min-epochs", EPOCHS, "--max-epochs", EPOCHS, "--channels", 4, "--cells", 3, "--subset", 400),
            *("--cluster", folder / "cluster.yaml", "--folder", self.run),
        )
        self._environment = harness.environment(self.run, **slurm.environment, **places)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    @property
    def starts(self) -> int:
        """How many searches have begun, or have gone on after a loss."""
        return sum(map(len, logged.epochs(self._log).values()))

    def release(self) -> None:
        hold_of(self._log).unlink()


def test_a_run_loses_nothing_whatever_becomes_of_its_jobs(slurm: Slurm, tmp_path: Path) -> None:
    run = HeldRun(tmp_path, slurm)
    with run.start() as driver:
        try:
            harness.wait_until(lambda: run.starts == 2, "two searches")
            canceled, killed = slurm.jobs()
            slurm.cancel(canceled)
            slurm.cancel(killed, "--signal=KILL", "--full")
            harness.wait_until(lambda: run.starts == 4, "the same two in other jobs")
            timed_out = slurm.jobs()
            slurm.drain()
            for job in timed_out:
                slurm.time_out(job)
            harness.wait_until(lambda: len(slurm.jobs("PENDING")) == 2, "jobs for those whose time was over")
            assert slurm.jobs() == slurm.jobs("PENDING")
            given_up = slurm.jobs()[0]
            slurm.cancel(given_up)
            harness.wait_until(lambda: len(slurm.jobs("PENDING")) == 2, "a job for the one canceled in the queue")
            assert run.starts == 4
            slurm.undrain()
            harness.wait_until(lambda: run.starts == 6, "the same two once there was a node again")
            run.release()
            said, _ = driver.communicate(timeout=harness.HANG_S)
        finally:
            driver.kill()
    assert driver.returncode == 0, said
    harness.wait_until(lambda: not slurm.jobs(), "the end of the jobs")
    ended = slurm.ended()
    assert {ended.pop(job) for job in (canceled, killed, given_up)} == {"CANCELLED"}
    assert {ended.pop(job) for job in timed_out} == {"TIMEOUT"}
    assert len(ended) == 2, "no more jobs than those that took the place of others"
    check_exact(run.run, said)
    assert not harness.processes(run.run), "orphans"
    assert not list((tmp_path / "shared").rglob("*.pem"))


def check_exact(folder: Path, said: str) -> None:
    """Every trial asked for once, told once, and found something."""
    harness.check_exact(folder, BUDGET)
    assert f"{BUDGET} evaluations, 0 failed, 4 restarts, {BUDGET * EPOCHS} epochs" in said
