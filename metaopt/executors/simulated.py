"""Any number of workers on a clock of their own: a trial is looked up at once, and takes the seconds that it cost."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Set
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial
from metaopt.executors.base import Executor, Recipe, Task
from metaopt.executors.evaluation import evaluate

#: Simulated seconds of a failure that does not say what it cost. Not those of the wall, or equal runs would differ; not
#: none, or a run of failures only would never reach its budget of seconds. Own choice: little beside any training.
_FAILURE_S = 1.0


class SimulatedExecutor(Executor):
    """Evaluates in this process; results come back in the order in which real workers would finish.

    Nothing is written to the folders of trials: what is looked up can be looked up again.

    Args:
        recipe: How every trial is evaluated; its ``cost_s`` is how long a worker is busy with it.
        workers: How many there are.

    Raises:
        ConfigError: if evaluations want processes of their own, since they take real time.
    """

    poll_s: ClassVar[float] = float("inf")

    def __init__(self, recipe: Recipe, workers: int = 1) -> None:
        super().__init__(recipe, workers)
        if recipe.needs_process:
            raise ConfigError(
                "the simulated executor looks results up, and this run has to compute them", "set {--executor} to dask"
            )
        self._now_s = 0.0
        self._busy: list[tuple[float, int, Result]] = []  # a heap: when each is done, in the order of ids
        self._running: set[int] = set()

    def clock(self) -> float:
        """Returns the simulated second; see :meth:`Executor.clock`."""
        return self._now_s

    @property
    def running(self) -> Set[int]:
        """The ids of the trials that are not done at this simulated second."""
        return self._running

    def submit(self, trial: Trial, folder: Path) -> None:
        """Starts a trial, see :meth:`Executor.submit`."""
        result = evaluate(Task(self.recipe, trial, folder), self.clock)
        if result.status != "ok" and not result.cost_s:
            result = replace(result, cost_s=_FAILURE_S)
        self._running.add(trial.id)
        heapq.heappush(self._busy, (self._now_s + result.cost_s, trial.id, result))

    def wait(self, timeout_s: float) -> list[Result]:
        """Turns the clock to when the next trial is done and returns it, or on by ``timeout_s`` simulated seconds."""
        if not self._busy or self._busy[0][0] > self._now_s + timeout_s:
            self._now_s += timeout_s if timeout_s < float("inf") else 0.0
            return []
        self._now_s, trial_id, result = heapq.heappop(self._busy)
        self._running.remove(trial_id)
        return [result]

    def stop(self, trial_ids: Iterable[int]) -> None:
        """Ends trials at this simulated second, see :meth:`Executor.stop`."""
        stopped = set(trial_ids)
        kept = [entry for entry in self._busy if entry[1] not in stopped]
        ended = [
            (self._now_s, trial_id, Result(trial_id, "stopped", reason="stopped"))
            for _, trial_id, _ in self._busy
            if trial_id in stopped
        ]
        self._busy = [*kept, *ended]
        heapq.heapify(self._busy)

    def close(self) -> None:
        """Forgets what runs."""
        self._busy, self._running = [], set()
