"""One trial at a time, supervised from the driver: the reference, and what a resumed run is exactly repeatable with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from metaopt.executors import fork_server
from metaopt.executors.base import Executor, Recipe, Task
from metaopt.executors.child import Child, run_trial
from metaopt.trial import Result, Trial


class SerialExecutor(Executor):
    """Runs one trial at a time; in this very process if the objective does not want one of its own.

    Args:
        recipe: How every trial is evaluated.
        workers: 1.
    """

    def __init__(self, recipe: Recipe, workers: int = 1) -> None:
        super().__init__(recipe, workers)
        self._task: Task | None = None
        self._child: Child | None = None
        if recipe.needs_process:
            fork_server.start(recipe)

    @property
    def running(self) -> frozenset[int]:
        """The id of the trial that was submitted and not yet returned, if any."""
        return frozenset() if self._task is None else frozenset([self._task.trial.id])

    def submit(self, trial: Trial, folder: Path) -> None:
        """Starts a trial, see :meth:`Executor.submit`."""
        self._task = Task(self.recipe, trial, folder)
        if self.recipe.needs_process:
            self._child = Child(self._task)

    def wait(self, timeout_s: float) -> list[Result]:
        """Returns the result of the trial, see :meth:`Executor.wait`."""
        if self._task is None:
            return []
        result = self._child.wait(timeout_s) if self._child else Result.from_json(run_trial(self._task))
        if result is None:
            return []
        self._task = self._child = None
        return [result]

    def stop(self, trial_ids: Iterable[int]) -> None:
        """Kills the process of the trial, see :meth:`Executor.stop`."""
        if self._child is not None and not self.running.isdisjoint(trial_ids):
            self._child.stop()

    def close(self) -> None:
        """Kills the process of the trial that still runs."""
        self.stop(self.running)
        self._task = self._child = None
