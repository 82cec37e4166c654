"""Real searches whose processes are killed between and within epochs: they go on from their last epoch."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import psutil
import pytest

import harness
import logged
from metaopt.core.paths import TRAJECTORY
from metaopt.executors.dask.worker import LOCK
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import read, without_clock

EPOCHS, BUDGET = 6, 2

pytestmark = pytest.mark.slow


def tune(folder: Path, executor: str = "serial") -> list[str]:
    return harness.command(
        *("tune", "--optimizer", "darts", "--budget", BUDGET, "--tuner", "random", "--seed", 3, "--confirm", 0),
        *("--min-epochs", EPOCHS, "--max-epochs", EPOCHS, "--channels", 4, "--cells", 3, "--subset", 400),
        *("--executor", executor, "--workers", 1, "--folder", folder, "--no-report"),
    )


def environment(folder: Path) -> dict[str, str]:
    log = folder.with_suffix(".log")
    return harness.environment(folder, DRIVER_OBJECTIVE="logged:LoggedSearch", EPOCHS_LOG=log)


def seen(folder: Path, trial: int) -> list[int]:
    """Returns the epochs of a trial that its trajectory shows."""
    with contextlib.suppress(OSError):
        return json.loads((RunFolder(folder).trial(trial) / TRAJECTORY).read_text()).get("epoch", [])  # type: ignore[no-any-return]
    return []


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same run, undisturbed."""
    folder = tmp_path_factory.mktemp("calm") / "run"
    done = harness.finish(tune(folder), environment(folder))
    assert done.returncode == 0, done.stderr
    return folder


def check_as_if_nothing_had_happened(folder: Path, calm: Path, restarts: list[int]) -> None:
    recorded = read(folder / "journal.jsonl")
    assert [recorded.results[trial].restarts for trial in range(BUDGET)] == restarts
    assert {result.status for result in recorded.results.values()} == {"ok"}
    expected, got = (harness.lines(place / "journal.jsonl") for place in (calm, folder))
    assert list(map(without_clock, got[1:])) == list(map(without_clock, expected[1:]))
    for trial in range(BUDGET):
        mine, its = RunFolder(folder).trial(trial), RunFolder(calm).trial(trial)
        assert (mine / TRAJECTORY).read_bytes() == (its / TRAJECTORY).read_bytes()
        names = [{path.name for path in place.iterdir()} - {LOCK} for place in (mine, its)]
        assert names[0] == names[1]
    for begun, again in zip(logged.epochs(folder.with_suffix(".log")).values(), restarts, strict=True):
        assert [epoch for epoch, _ in groupby(begun)] == list(range(EPOCHS)), "only the one in flight may come twice"
        assert len(begun) <= EPOCHS + again


def fork_servers(folder: Path) -> list[psutil.Process]:
    return [process for process in harness.processes(folder) if "forkserver" in " ".join(process.cmdline())]


@pytest.mark.parametrize("executor", ["serial", "dask"])
def test_a_search_whose_fork_server_is_killed_goes_on_under_its_supervisor(
    tmp_path: Path, calm: Path, executor: str
) -> None:
    folder = tmp_path / "run"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        tune(folder, executor), env=environment(folder), stdout=pipe, stderr=pipe, text=True
    ) as driver:
        for trial, epoch in enumerate((3, 1)):
            harness.wait_until(lambda: len(seen(folder, trial)) >= epoch, "an epoch")  # noqa: B023  (called here)
            for server in fork_servers(folder):
                server.kill()
        said = driver.communicate(timeout=harness.HANG_S)
    assert driver.returncode == 0, said
    check_as_if_nothing_had_happened(folder, calm, [1, 1])


def kill_driver(driver: subprocess.Popen[bytes], folder: Path) -> None:
    driver.kill()
    driver.wait()


def kill_all(driver: subprocess.Popen[bytes], folder: Path) -> None:
    """As the power does."""
    for process in harness.processes(folder):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    driver.wait()


def stop_driver(driver: subprocess.Popen[bytes], folder: Path) -> None:
    driver.send_signal(signal.SIGUSR2)
    assert driver.wait(60) == 130


@pytest.mark.parametrize("end", [kill_driver, kill_all, stop_driver])
def test_a_search_goes_on_in_a_resumed_run(
    tmp_path: Path, calm: Path, end: Callable[[subprocess.Popen[bytes], Path], None]
) -> None:
    folder = tmp_path / "run"
    command = tune(folder)
    for trial, epoch in ((0, 1), (0, 3), (1, 2)):
        driver = subprocess.Popen(
            command, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        harness.wait_until(lambda: len(seen(folder, trial)) >= epoch, "an epoch")  # noqa: B023  (called here)
        end(driver, folder)
        harness.wait_until(lambda: not harness.processes(folder), "the end of the orphans")
        command = harness.command("resume", folder, "--no-report")
    done = harness.finish(command, environment(folder))
    assert done.returncode == 0, done.stderr
    check_as_if_nothing_had_happened(folder, calm, [2, 1])
    assert "2 evaluations, 0 failed, 3 restarts, 12 epochs" in done.stdout
    status = harness.finish(harness.command("status", folder), environment(folder))
    assert "2 done (0 failed, 3 restarts), 0 to run again" in status.stdout
