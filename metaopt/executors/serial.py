"""One trial at a time, supervised from the driver: the reference, and what a resumed run is exactly repeatable with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from metaopt.core.trial import Result, Trial
from metaopt.executors.base import Executor, Recipe, Task
from metaopt.executors.open_files import ensure_open_files
from metaopt.executors.process import fork_server
from metaopt.executors.process.child import Child, run_trial, unsupervised

#: Files that a driver and the server of its trials' processes have open, and some to spare.
_FILES = 64


class SerialExecutor(Executor):
    """Runs one trial at a time; in this very process if the objective does not want one of its own.

    Args:
        recipe: How every trial is evaluated.
        workers: 1.
    """

    def __init__(self, recipe: Recipe, workers: int = 1) -> None:
        super().__init__(recipe, 1)
        self._task: Task | None = None
        self._child: Child | None = None
        self._failure: Result | None = None
        if recipe.needs_process:
            ensure_open_files(_FILES)
            fork_server.start(recipe)

    @property
    def running(self) -> frozenset[int]:
        """The id of the trial that was submitted and not yet returned, if any."""
        return frozenset() if self._task is None else frozenset([self._task.trial.id])

    def submit(self, trial: Trial, folder: Path) -> None:
        """Starts a trial, see :meth:`Executor.submit`."""
        self._task = Task(self.recipe, trial, folder.absolute())  # a trial may change its current folder
        self._failure = None
        if self.recipe.needs_process:
            try:
                self._child = Child(self._task)
            except Exception as error:
                self._failure = unsupervised(self._task, error)

    def wait(self, timeout_s: float) -> list[Result]:
        """Returns the result of the trial, see :meth:`Executor.wait`."""
        if self._task is None:
            return []
        if (result := self._failure or self._wait(self._task, timeout_s)) is None:
            return []
        self._task = self._child = None
        return [result]

    def _wait(self, task: Task, timeout_s: float) -> Result | None:
        if self._child is None:
            return Result.from_json(run_trial(task))
        try:
            return self._child.wait(timeout_s)
        except Exception as error:
            return unsupervised(task, error)

    def stop(self, trial_ids: Iterable[int]) -> None:
        """Kills the process of the trial, see :meth:`Executor.stop`."""
        if self._child is not None and not self.running.isdisjoint(trial_ids):
            self._child.stop()

    def close(self) -> None:
        """Kills the process of the trial that still runs."""
        self.stop(self.running)
        self._task = self._child = None
