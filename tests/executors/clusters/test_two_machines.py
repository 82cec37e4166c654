"""Runs whose workers are on another machine, while the cable between the two is out for a minute."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import harness
import logged
from faults import hold_of
from outside import Outside
from two_machines import TwoMachines

BUDGET, EPOCHS = 4, 2
#: Longer than Dask takes to find a connection dead, 30 s, and than a system needs to resend what is on its way.
OUTAGE_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def machines() -> Iterator[TwoMachines]:
    with TwoMachines() as machines:
        yield machines


class HeldRun:
    """A run of real searches on a worker of the other machine, which do not go on while they are held.

    Args:
        folder: An empty one, which both machines see.
        machines: The driver is on the near one.
        scheduler: Which one Dask's scheduler is on.
    """

    def __init__(self, folder: Path, machines: TwoMachines, scheduler: str) -> None:
        folder.mkdir()
        self.run, self._log = folder / "run", folder / "epochs.log"
        hold_of(self._log).touch()
        self._outside = Outside(folder)
        self._outside.start_scheduler(machine=getattr(machines, scheduler))
        marks = {harness.MARK: str(self.run), "EPOCHS_LOG": str(self._log)}
        self._outside.start_worker(machine=machines.far, **marks)
        tune = harness.command(
            *("tune", "--optimizer", "darts", "--tuner", "random", "--budget", BUDGET, "--confirm", 0, "--no-report"),
            *("--min-epochs", EPOCHS, "--max-epochs", EPOCHS, "--channels", 4, "--cells", 3, "--subset", 400),
            *("--cluster", self._outside.cluster_file(), "--folder", self.run),
        )
        self.driver = subprocess.Popen(
            [*machines.near.prefix, *tune],
            env=harness.environment(self.run, DRIVER_OBJECTIVE="logged:LoggedSearch"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def begun(self) -> dict[str, list[int]]:
        """The epochs that were begun, by trial."""
        return logged.epochs(self._log)

    def release(self) -> None:
        hold_of(self._log).unlink()

    def close(self) -> None:
        self.driver.kill()
        self.driver.communicate()
        self._outside.close()


def test_a_cable_that_is_out_for_a_minute_costs_nothing_but_time(machines: TwoMachines, tmp_path: Path) -> None:
    """With the scheduler beside the driver, where the workers are lost, and beside the workers, where the driver is."""
    with ExitStack() as stack:
        runs = [HeldRun(tmp_path / scheduler, machines, scheduler) for scheduler in ("near", "far")]
        for run in runs:
            stack.callback(run.close)
        harness.wait_until(lambda: all(run.begun for run in runs), "a search in each run")
        machines.pull()
        for run in runs:
            run.release()
        time.sleep(OUTAGE_S)
        machines.plug()
        for run in runs:
            said, _ = run.driver.communicate(timeout=harness.HANG_S)
            assert run.driver.returncode == 0, said
            harness.check_exact(run.run, BUDGET)
            assert max(map(len, run.begun.values())) <= EPOCHS + 1, "only the epoch in flight may come twice"
