"""What metaopt does in the process of a Dask worker: prepares it, then supervises one trial after the other."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from distributed import Status, Worker, WorkerPlugin, get_worker

from metaopt.executors import fork_server
from metaopt.executors.base import Recipe, Task
from metaopt.executors.child import run_trial
from metaopt.executors.environment import environment, misfit
from metaopt.executors.gpus import claim_gpu, visible_gpus
from metaopt.file_lock import try_lock

#: What a worker that fits has one of, and every trial takes: one trial per worker, whatever threads Dask gives it.
SLOT = "metaopt-trial"
#: Topic of Dask's events on which workers say that they do not fit.
MISFIT = "metaopt-misfit"
#: Key of an answer that is no result: the worker does not see the folder of the trial.
UNSEEN = "unseen"
#: Held in the folder of a trial by whoever supervises it.
LOCK = "lock"

_APPEARS_S = 30.0  # a network file system shows a new folder late
_POLL_S = 0.2


class Preparation(WorkerPlugin):
    """Prepares every worker, also one that joins late or replaces another.

    Args:
        recipe: Of all trials.
    """

    name = "metaopt"

    def __init__(self, recipe: Recipe) -> None:
        self._recipe, self._environment = recipe, dict(environment())

    async def setup(self, worker: Worker) -> None:
        """Runs in the worker's main thread, which lives as long as the worker."""
        if reason := misfit(self._environment):
            worker.log_event(MISFIT, {"worker": f"{worker.address} on {platform.node()}", "reason": reason})
            return
        # They reach every process of a terminal or a job; the driver stops the trials itself. SIGTERM ends a worker in
        # good order, as its nanny and batch systems mean it to.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        if self._recipe.needs_process:
            claim_gpu(visible_gpus())
            fork_server.start(self._recipe)
        await worker.set_resources(**{SLOT: 1})
        # The scheduler looks for tasks that have waited for such a worker only when a worker begins to run.
        worker.status = Status.paused
        worker.status = Status.running


def supervise(task: Task) -> Mapping[str, Any]:
    """Evaluates a trial as :func:`~metaopt.executors.child.run_trial` does, until the driver loses interest.

    A trial that another worker still works on, for a driver that is gone by now, is waited for.
    """
    if not _wait_until(task.folder.is_dir, _APPEARS_S):
        return {UNSEEN: platform.node()}
    interest = _Interest()
    with _alone(task.folder, interest.lost):
        return run_trial(task, interest.lost)


class _Interest:
    """Whether anybody still wants the result of the task that runs in this thread."""

    def __init__(self) -> None:
        self._worker = get_worker()
        self._key = self._worker.get_current_task()

    def lost(self) -> bool:
        """Returns whether the client that has submitted the task is gone, or has cancelled it."""
        state = self._worker.state.tasks.get(self._key)
        return state is None or state.state == "cancelled"


@contextlib.contextmanager
def _alone(folder: Path, lost: Callable[[], bool]) -> Iterator[None]:
    """Waits until no other process supervises the trial of this folder."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: then there is no protection, and no harm
            _wait_until(lambda: try_lock(descriptor) or lost())
        yield
    finally:
        os.close(descriptor)


def _wait_until(condition: Callable[[], bool], timeout_s: float = float("inf")) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
