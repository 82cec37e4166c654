"""Starts real drivers as processes of their own, and reads what they left. For tests of what survives a kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from metaopt.core.trial import Result
from metaopt.executors.base import Executor
from metaopt.runs import journal

HELPERS = Path(__file__).parent
DRIVER = [sys.executable, str(HELPERS / "driver.py")]
#: Names every process of one run in its environment, so that orphans can be told from other tests' processes.
MARK = "TEST_RUN_OF"
#: Seconds after which something is taken for hanging. Tests wait for events: a busy machine may take its time.
HANG_S = 300.0


def command(*arguments: object) -> list[str]:
    """Returns the command line of a driver whose objective is tests/helpers/faults.py."""
    return [*DRIVER, *map(str, arguments)]


def environment(mark: Path, **variables: object) -> dict[str, str]:
    """Returns the environment of a driver."""
    paths = os.pathsep.join([str(HELPERS), str(HELPERS.parents[1])])
    own = {"PYTHONPATH": paths, MARK: str(mark), "COLUMNS": "200", "NO_COLOR": "1"}
    return {**os.environ, **own, **{name: str(value) for name, value in variables.items()}}


def processes(mark: Path) -> list[psutil.Process]:
    """Returns all live processes of the run with this mark."""
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(MARK) == str(mark)
            if marked and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until(condition: Callable[[], object], what: str = "it") -> None:
    """Waits for a condition and fails if it never comes."""
    deadline = time.monotonic() + HANG_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.02)


def is_stopped(pid: int) -> bool:
    """Returns whether a process has been stopped by a signal."""
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def lines(path: Path) -> list[dict[str, Any]]:
    """Returns the lines of a journal, decoded."""
    return [journal.decode(line) for line in path.read_bytes().splitlines()]


def finish(arguments: list[str], env: dict[str, str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a driver to its end."""
    return subprocess.run(arguments, env=env, cwd=cwd, capture_output=True, text=True, timeout=HANG_S)


def results_of(crew: Executor) -> dict[int, Result]:
    """Waits for all trials of an executor and returns their results by their ids."""
    results: list[Result] = []
    wait_until(lambda: results.extend(crew.wait(0.2)) or not crew.running, "the last result")
    return {result.trial_id: result for result in results}


def check_exact(folder: Path, budget: int) -> None:
    """Every trial of a run was asked for once, told once, and found something."""
    recorded = journal.read(folder / "journal.jsonl")
    assert [trial.id for trial in recorded.trials] == list(range(budget))
    tells = [event.record.trial_id for event in recorded.events if isinstance(event.record, Result)]
    assert sorted(tells) == list(range(budget))
    assert {result.status for result in recorded.results.values()} == {"ok"}
    assert recorded.end == f"the budget of {budget} evaluations is used up"
