"""Trials on the workers of a Dask cluster, of this machine or of many.

A Dask task only supervises the one child process that evaluates its trial, so nothing that a trial does can harm a
worker. A worker that is lost all the same is replaced, and Dask runs its task again, which is safe: the child died
with its worker, and a task whose trial is finished finds the result.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import time
import uuid
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import Future
from distributed.scheduler import KilledWorker

from metaopt.core.errors import ConfigError, RunError
from metaopt.core.harmless import one_line
from metaopt.core.records import answered
from metaopt.core.system_errors import explaining
from metaopt.core.trial import Result, Trial
from metaopt.executors.base import Executor, Recipe, Task
from metaopt.executors.dask.clusters.base import connected
from metaopt.executors.dask.clusters.settings import ClusterSettings, SchedulerSettings
from metaopt.executors.dask.local import ALLOWED_FAILURES
from metaopt.executors.dask.watch import Watch
from metaopt.executors.dask.wire import Answer, unpacked
from metaopt.executors.dask.worker import Preparation, supervise
from metaopt.executors.process.child import STOP, unsupervised
from metaopt.executors.process.trial_files import starts_of
from metaopt.objectives.scratch import spent_s

_CLOSE_S = 5.0


#: How often Dask may give a trial up, in a row, that was not begun: each time takes as many lost workers as it allows.
_MOST_WAITS = 25


@dataclass(slots=True)
class _Losses:
    """How often workers were lost under a trial since it last got on.

    Dask does not know: where many are lost at once, a trial is handed from one to the next, each of which still works
    on another, and all of them count. The trial itself knows how often it was begun.

    Attributes:
        starts: How often it was begun, when that was last looked at.
        spent_s: Seconds up to the state that it resumed from then.
        times: How often it was begun and got no further.
        waits: How often in a row Dask has given it up without its being begun.
    """

    starts: int
    spent_s: float = 0.0
    times: int = 0
    waits: int = 0

    def add(self, spent_s: float, starts: int) -> None:
        """Takes note that Dask has given the trial up."""
        self.waits = 0 if starts > self.starts else self.waits + 1
        self.times = 0 if spent_s > self.spent_s else self.times + starts - self.starts
        self.starts, self.spent_s = starts, spent_s

    @property
    def are_enough(self) -> bool:
        """Whether there is no sense in trying it again."""
        return self.times > ALLOWED_FAILURES or self.waits > _MOST_WAITS


class DaskExecutor(Executor):
    """Runs one trial at a time on every worker that has the versions of this process.

    Args:
        recipe: How every trial is evaluated; the cluster says with how many threads.
        workers: How many trials may run at once; None: as the cluster says, or as many as there are workers.
        cluster: Where the workers come from; None: processes on this machine, reachable from it only.
        replace_after_s: Seconds after which a worker that did not come back by itself is replaced.
        lost_after_s: Seconds without any live worker after which the run is given up instead of waiting forever.

    Raises:
        ConfigError: if the cluster cannot be had as described.
    """

    def __init__(
        self,
        recipe: Recipe,
        workers: int | None,
        cluster: ClusterSettings | None = None,
        *,
        replace_after_s: float = 15.0,
        lost_after_s: float = 120.0,
    ) -> None:
        settings = cluster or ClusterSettings(threads=recipe.threads)
        if workers is not None:
            settings = replace(settings, workers=workers)
        for problem in settings.problems():
            raise problem
        super().__init__(replace(recipe, threads=settings.threads), settings.workers or sys.maxsize)
        self._queues, self._lost_after_s = settings.queues, lost_after_s
        # Jobs of ours are replaced by others, and are not to wait for a driver that is gone.
        self._preparation = Preparation(self.recipe, returns=isinstance(settings, SchedulerSettings))
        self._tasks: dict[int, Task] = {}
        self._losses: dict[int, _Losses] = {}
        self._stopped: set[int] = set()  # of those that were to be stopped
        self._futures: dict[int, Future[Any]] = {}
        self._done: queue.SimpleQueue[tuple[int, Future[Any]]] = queue.SimpleQueue()
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(connected(settings))
            self._client = connection.client
            self._watch = Watch(connection, self._preparation, replace_after_s, lost_after_s, self._prepare_workers)
            try:
                self._prepare_workers()
            except Exception as error:  # of a worker that is there already and cannot even read what it is sent
                raise ConfigError(
                    f"the workers of the cluster cannot be prepared: {type(error).__name__}: {error}",
                    "install there what is installed here, best of all from the same lock file",
                ) from None
            self._stack = stack.pop_all()

    def _prepare_workers(self) -> None:
        """Tells a scheduler how to prepare workers; it may be one in the place of another that was lost."""
        self._client.register_plugin(self._preparation)

    @property
    def running(self) -> Set[int]:
        """The ids of all trials submitted and not yet returned."""
        return self._futures.keys()

    @property
    def hosts(self) -> list[str]:
        """The machine of every worker that can be given trials."""
        return self._watch.hosts

    @property
    def free(self) -> int:
        """How many trials can be submitted now."""
        there = self.workers if self._queues else min(self.workers, len(self.hosts))
        return max(0, there - len(self._futures))

    def submit(self, trial: Trial, folder: Path) -> None:
        """Starts a trial, see :meth:`Executor.submit`.

        Raises:
            RunError: if its folder cannot be made.
        """
        with explaining(f"cannot make the folder {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / STOP).unlink(missing_ok=True)
        self._tasks[trial.id] = Task(self.recipe, trial, folder.absolute())
        self._losses[trial.id] = _Losses(starts=starts_of(self._tasks[trial.id]))
        self._stopped.discard(trial.id)
        self._submit(trial.id)

    def _submit(self, trial_id: int) -> None:
        key, slot = f"trial-{trial_id}-{uuid.uuid4().hex}", {self._preparation.slot: 1}
        future = self._client.submit(supervise, self._tasks[trial_id], key=key, pure=False, resources=slot)
        self._futures[trial_id] = future
        future.add_done_callback(lambda done: self._done.put((trial_id, done)))

    def wait(self, timeout_s: float) -> list[Result]:
        """Returns the results that are there, see :meth:`Executor.wait`."""
        results: list[Result] = []
        with contextlib.suppress(queue.Empty):
            results += self._results(*self._done.get(timeout=timeout_s))
            while True:
                results += self._results(*self._done.get_nowait())
        self._watch.mend()
        self._submit_lost()
        if not results:
            self._watch.check(len(self._futures))
        return results

    def _submit_lost(self) -> None:
        """Submits again what Dask has forgotten together with a connection or a scheduler."""
        if self._client.status == "running":
            for trial_id in [trial_id for trial_id, future in self._futures.items() if future.cancelled()]:
                self._submit(trial_id)

    def _results(self, trial_id: int, future: Future[Any]) -> list[Result]:
        """Returns the result of a trial, if there is one: a trial that was submitted again is done more than once."""
        if future is not self._futures.get(trial_id) or future.cancelled():
            return []
        # One that was done and is not any more was lost with its worker, and says nothing when it is done again.
        result = self._result(trial_id, future) if future.done() else None
        # One that nobody asked to stop was for a driver or a connection that is gone.
        if result is None or (result.status == "stopped" and trial_id not in self._stopped):
            self._submit(trial_id)
            return []
        del self._futures[trial_id]
        return [result]

    def _result(self, trial_id: int, future: Future[Any]) -> Result | None:
        """Returns the result of a trial; None if it was lost on its way, together with a scheduler or a worker.

        Raises:
            RunError: if the trial's folder cannot be seen or written.
        """
        try:
            answer = future.result(timeout=self._lost_after_s)
        except KilledWorker:
            return self._without_workers(trial_id)
        except BaseException as error:  # also one that a worker has raised
            if future.status == "error":
                return unsupervised(self._tasks[trial_id], error)
            if isinstance(error, Exception):  # a worker or a connection was lost after the trial had ended
                return None
            raise
        return self._answered(trial_id, answer)

    def _answered(self, trial_id: int, answer: object) -> Result | None:
        """Returns the result in an answer, None if there is none and the trial wants another worker.

        Whatever else it says may come from another program than ours.

        Raises:
            RunError: if it says that the trial's folder cannot be seen or written.
        """
        try:
            ((kind, content),) = unpacked(answer).items()
        except ValueError as error:
            return Result(trial_id, "crashed", reason=one_line(f"its answer cannot be used: {error}"))
        if kind == Answer.UNSEEN:
            raise RunError(
                f"the worker on {one_line(str(content), 80)} does not see {self._tasks[trial_id].folder}",
                "name a {--folder} in a folder that driver and workers share",
            )
        if kind == Answer.ERROR and isinstance(content, list) and len(content) == 2:
            raise RunError(*(one_line(str(text)) for text in content))
        if kind == Answer.UNFIT:
            return None
        return answered(trial_id, content if kind == Answer.RESULT else None)

    def _without_workers(self, trial_id: int) -> Result | None:
        """Returns the result of a trial under which workers were lost again and again; None if it gets on between.

        That is what the workers of a queue that is preempted do.
        """
        task, losses = self._tasks[trial_id], self._losses[trial_id]
        losses.add(spent_s(task.folder), starts_of(task))
        # One that runs in the worker itself keeps no count of its starts.
        if self.recipe.needs_process and not losses.are_enough:
            return None
        times = max(losses.times, ALLOWED_FAILURES + 1)
        return Result(trial_id, "crashed", reason=f"its worker was lost {times} times")

    def stop(self, trial_ids: Iterable[int]) -> None:
        """Kills the processes of these trials, see :meth:`Executor.stop`."""
        for trial_id in self._futures.keys() & set(trial_ids):
            self._stopped.add(trial_id)
            with contextlib.suppress(OSError):  # on a full disk they end with the connection to their driver
                (self._tasks[trial_id].folder / STOP).touch()

    def close(self) -> None:
        """Stops what still runs and ends the cluster, or the connection to it."""
        try:
            self.stop(self.running)
            deadline = time.monotonic() + _CLOSE_S
            with contextlib.suppress(RunError):
                while self._futures and self.hosts and time.monotonic() < deadline:
                    self.wait(0.1)
        finally:
            self._stack.close()
