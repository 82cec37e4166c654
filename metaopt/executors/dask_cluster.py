"""Trials on the worker processes of a local Dask cluster.

A Dask task only supervises the one child process that evaluates its trial, so nothing that a trial does can harm a
worker. A worker that is lost all the same is replaced, and Dask runs its task again, which is safe: the child died
with its worker, and a task whose trial is finished finds the result.
"""

from __future__ import annotations

import contextlib
import queue
import signal
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from distributed import Future, Worker, WorkerPlugin

from metaopt.errors import RunError
from metaopt.executors import fork_server
from metaopt.executors.base import Executor, Recipe, Task
from metaopt.executors.child import STOP, run_trial
from metaopt.executors.local_cluster import ALLOWED_FAILURES, local_cluster
from metaopt.trial import Result, Trial

_CLOSE_S = 10.0


class DaskExecutor(Executor):
    """A local cluster of ``workers`` processes with one thread each, reachable from this machine only.

    Args:
        recipe: How every trial is evaluated.
        workers: Number of worker processes.
        replace_after_s: Seconds after which a worker that did not come back by itself is replaced; doubled each time.
        lost_after_s: Seconds without any live worker after which the run is given up instead of waiting forever.
    """

    def __init__(
        self, recipe: Recipe, workers: int, *, replace_after_s: float = 15.0, lost_after_s: float = 120.0
    ) -> None:
        super().__init__(recipe, workers)
        self._replace_after_s = replace_after_s
        self._lost_after_s = lost_after_s
        self._none_since: float | None = None
        self._fewer_since: float | None = None
        self._folders: dict[int, Path] = {}
        self._futures: dict[int, Future[Any]] = {}
        self._done: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stack = contextlib.ExitStack()
        self._client = self._stack.enter_context(local_cluster(workers, recipe.threads))
        self._cluster: Any = self._client.cluster
        self._client.register_plugin(_Supervisor(recipe))

    @property
    def running(self) -> frozenset[int]:
        """The ids of all trials submitted and not yet returned."""
        return frozenset(self._futures)

    def submit(self, trial: Trial, folder: Path) -> None:
        """Starts a trial, see :meth:`Executor.submit`."""
        (folder / STOP).unlink(missing_ok=True)
        self._folders[trial.id] = folder
        future = self._client.submit(
            run_trial, Task(self.recipe, trial, folder), key=f"trial-{trial.id}-{uuid.uuid4().hex}", pure=False
        )
        self._futures[trial.id] = future
        future.add_done_callback(lambda _, trial_id=trial.id: self._done.put(trial_id))

    def wait(self, timeout_s: float) -> list[Result]:
        """Returns the results that are there, see :meth:`Executor.wait`."""
        results: list[Result] = []
        try:
            results.append(self._result(self._done.get(timeout=timeout_s)))
            while True:
                results.append(self._result(self._done.get_nowait()))
        except queue.Empty:
            self._watch()
        return results

    def _result(self, trial_id: int) -> Result:
        future = self._futures.pop(trial_id)
        try:
            return Result.from_json(future.result(timeout=self._lost_after_s))
        except Exception as error:
            reason = f"its worker was lost {ALLOWED_FAILURES + 1} times, or did not answer ({type(error).__name__})"
            return Result(trial_id, "crashed", reason=reason)

    def _watch(self) -> None:
        """Replaces workers that stay away: Dask gives up one that is lost while it starts."""
        now, alive = time.monotonic(), self._alive()
        if alive:
            self._none_since = None
        elif self._none_since is None:
            self._none_since = now
        elif now - self._none_since > self._lost_after_s:
            raise RunError(
                f"no Dask worker has been alive for {self._lost_after_s:g} s; {len(self._futures)} trials wait for one",
                "look at the memory of the machine, then go on with: metaopt resume RUN",
            )
        if alive >= self.workers:
            self._fewer_since = None
        elif self._fewer_since is None:
            self._fewer_since = now
        elif now - self._fewer_since > self._replace_after_s:
            self._cluster.scale(len(self._cluster.worker_spec) + self.workers - alive)
            # A machine on which workers start slowly must not be buried under more of them.
            self._fewer_since, self._replace_after_s = now, 2 * self._replace_after_s

    def _alive(self) -> int:
        return len(self._cluster.scheduler.workers)

    def stop(self, trial_ids: Iterable[int]) -> None:
        """Kills the processes of these trials, see :meth:`Executor.stop`."""
        for trial_id in self.running.intersection(trial_ids):
            folder = self._folders[trial_id]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / STOP).touch()

    def close(self) -> None:
        """Stops what still runs and ends the cluster."""
        self.stop(self.running)
        deadline = time.monotonic() + _CLOSE_S
        while self._futures and self._alive() and time.monotonic() < deadline:
            self.wait(0.1)
        self._stack.close()


class _Supervisor(WorkerPlugin):
    """Prepares every worker, also one that replaces another."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    def setup(self, worker: Worker) -> Any:
        """Runs in the worker's main thread, which lives as long as the worker."""
        # Ctrl-C reaches every process of a terminal; the driver stops the trials itself.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if self._recipe.needs_process:
            fork_server.start(self._recipe)
