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

from metaopt.core.errors import RunError
from metaopt.core.file_lock import try_lock
from metaopt.core.harmless import one_line
from metaopt.core.trial import Result
from metaopt.executors.base import Recipe, Task
from metaopt.executors.dask.environment import environment, fingerprint, misfit
from metaopt.executors.dask.gpus import claim_gpu, visible_gpus
from metaopt.executors.dask.wire import Answer, packed
from metaopt.executors.evaluation import reason_of
from metaopt.executors.process import fork_server
from metaopt.executors.process.child import run_trial, unsupervised

#: Held in the folder of a trial by whoever supervises it.
LOCK = "lock"

#: Dask's word for why a worker ends whose scheduler is not to be reached any more.
_CONNECTION_LOST = "worker-handle-scheduler-connection-broken"
_APPEARS_S = 30.0  # a network file system shows a new folder late
_POLL_S = 0.2


class Preparation(WorkerPlugin):
    """Prepares every worker, also one that joins late or replaces another.

    All names that it leaves in a worker are those of its environment, so that drivers of two versions that share a
    scheduler, or follow each other on it, do not take each other's workers for theirs.

    Args:
        recipe: Of all trials.
        returns: Whether workers are to come back after their connection to the scheduler was lost.

    Attributes:
        name: Of the plugin.
        slot: What a worker that fits has one of, and every trial takes.
        topic: Of Dask's events by which workers say that they are there, and why they do not fit.
    """

    def __init__(self, recipe: Recipe, *, returns: bool = False) -> None:
        self._recipe, self._returns, self._environment = recipe, returns, environment()
        self.name, self.slot, self.topic = _names()

    async def setup(self, worker: Worker) -> None:
        """Runs in the worker's main thread, which lives as long as the worker."""
        if self._returns:
            _outlive_connection(worker)
        try:
            reason = misfit(self._environment) or _crowded(worker)
            if not reason:
                self._prepare()
        except Exception as error:  # which only a log of Dask's would hear
            reason = f"it cannot be prepared: {type(error).__name__}: {error}"
        worker.log_event(self.topic, _word_of(worker, reason))
        if reason:
            return
        await worker.set_resources(**{self.slot: 1})
        # The scheduler looks for tasks that have waited for such a worker only when a worker begins to run.
        worker.status = Status.paused
        worker.status = Status.running

    def _prepare(self) -> None:
        # They reach every process of a terminal or a job; the driver stops the trials itself. SIGTERM ends a worker in
        # good order, as its nanny and batch systems mean it to.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        if self._recipe.needs_process:
            claim_gpu(visible_gpus())
            fork_server.start(self._recipe)


def _outlive_connection(worker: Worker) -> None:
    """Lets a worker's nanny start another in its place when the connection to the scheduler is lost.

    Dask ends both for good then, as if the scheduler had gone on purpose, which it says in another way.
    """
    close = worker.close

    async def close_alone(*arguments: Any, **options: Any) -> Any:
        if options.get("reason") == _CONNECTION_LOST:
            options["nanny"] = False
        return await close(*arguments, **options)

    worker.close = close_alone  # type: ignore[method-assign]  # this worker only, not its class


def _crowded(worker: Worker) -> str:
    """Returns why a worker of several threads is not used: Dask sends it trials that wait there for the first one."""
    threads = worker.state.nthreads
    return "" if threads == 1 else f"it runs {threads} tasks at a time: start it with --nthreads 1"


def supervise(task: Task) -> str:
    """Evaluates a trial as :func:`~metaopt.executors.process.child.run_trial` does, until the driver loses interest.

    A trial that another worker still works on, for a driver that is gone by now, is waited for. Never raises.

    Returns:
        The answer for the driver, see :mod:`metaopt.executors.dask.wire`.
    """
    try:
        if not _wait_until(task.folder.is_dir, _APPEARS_S):
            return packed(Answer.UNSEEN, platform.node())
        return packed(Answer.RESULT, _supervised(task))
    except fork_server.CannotStartError as error:
        _withdraw(error.message)
        return packed(Answer.UNFIT, None)
    except RunError as error:
        return packed(Answer.ERROR, [error.message, error.hint])
    except BaseException as error:  # Dask cannot tell of every exception: its client then waits for ever
        reason = one_line(f"cannot be supervised: {reason_of(error, task)}")
        return packed(Answer.RESULT, Result(task.trial.id, "crashed", reason=reason).to_json())


def _withdraw(reason: str) -> None:
    """Has this worker be given no more trials, each of which it would fail at once, and says why."""
    worker = get_worker()
    slot, topic = _names()[1:]
    worker.log_event(topic, _word_of(worker, reason))
    worker.loop.add_callback(worker.set_resources, **{slot: 0})


def _names() -> tuple[str, str, str]:
    """Returns the names of plugin, slot and topic."""
    mark = fingerprint()
    return f"metaopt-{mark}", f"metaopt-trial-{mark}", f"metaopt-worker-{mark}"


def _word_of(worker: Worker, reason: str) -> dict[str, Any]:
    return {"worker": worker.address, "name": worker.name, "host": platform.node(), "reason": reason}


def _supervised(task: Task) -> Mapping[str, Any]:
    """Returns the result of a trial.

    Raises:
        RunError: if the trial's folder cannot be written; nothing else.
    """
    try:
        interest = _Interest()
        with _alone(task.folder, interest.lost) as alone:
            if alone:
                return run_trial(task, interest.lost)
    except OSError as error:
        return unsupervised(task, error).to_json()
    return Result(task.trial.id, "stopped", reason="nobody waits for it any more").to_json()


class _Interest:
    """Whether anybody still waits for the result of the task that runs in this thread."""

    def __init__(self) -> None:
        self._worker = get_worker()
        self._key = self._worker.get_current_task()

    def lost(self) -> bool:
        """Returns whether the client that has submitted the task is gone, or has canceled it."""
        state = self._worker.state.tasks.get(self._key)
        return state is None or state.state == "cancelled"


@contextlib.contextmanager
def _alone(folder: Path, lost: Callable[[], bool]) -> Iterator[bool]:
    """Waits until no other process supervises the trial of this folder; gives whether that came before ``lost``."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _wait_for_lock(descriptor, lost)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, lost: Callable[[], bool]) -> bool:
    with contextlib.suppress(OSError):  # without locks nothing protects there; docs/clusters.md says so
        while not try_lock(descriptor):
            if lost():
                return False
            time.sleep(_POLL_S)
    return True


def _wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
