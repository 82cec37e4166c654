"""The contract of an executor: trials in, results out, whatever happens to the process that evaluates one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from metaopt.core.trial import Result, Trial


@dataclass(frozen=True, slots=True)
class Recipe:
    """How every trial of a run is evaluated; plain values, so that any process can build the objective again.

    Attributes:
        objective: ``"module:attribute"`` of the objective's class.
        settings: Its keyword arguments.
        needs_process: Whether each evaluation gets a process of its own, as the objective declares.
        time_limit_s: Wall seconds after which the process of a trial is killed; None for no limit.
        memory_limit_mb: Private memory of the process of a trial in MiB; None for no limit.
        threads: Threads of the process of a trial.
    """

    objective: str
    settings: Mapping[str, Any]
    needs_process: bool = True
    time_limit_s: float | None = None
    memory_limit_mb: int | None = None
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Task:
    """One trial to evaluate.

    Attributes:
        recipe: How.
        trial: What.
        folder: Where its files go; created if missing.
    """

    recipe: Recipe
    trial: Trial
    folder: Path


class Executor(ABC):
    """Evaluates trials, each in a process of its own where the objective wants that.

    A trial never raises here: an exception, a segmentation fault, a value that is not a number, too much memory or too
    much time is a :class:`~metaopt.core.trial.Result` with a status and a reason. A trial whose folder holds the result
    of an earlier evaluation is not evaluated again.

    Args:
        recipe: How every trial is evaluated.
        workers: How many trials may run at once.
    """

    #: Seconds after which a driver that waits looks at signals and budgets again.
    poll_s: ClassVar[float] = 0.25

    def __init__(self, recipe: Recipe, workers: int) -> None:
        self.recipe, self.workers = recipe, workers

    def clock(self) -> float:
        """Returns the second it is, from any beginning: what budgets of seconds are counted by."""
        return time.monotonic()

    @property
    @abstractmethod
    def running(self) -> Set[int]:
        """The ids of all trials submitted and not yet returned by :meth:`wait`; it may change with the executor."""

    @property
    def free(self) -> int:
        """How many trials can be submitted now."""
        return max(0, self.workers - len(self.running))

    @abstractmethod
    def submit(self, trial: Trial, folder: Path) -> None:
        """Starts a trial and returns at once; to be called only while :attr:`free` is positive.

        Args:
            trial: What to evaluate.
            folder: Where its files go; created if missing.
        """

    @abstractmethod
    def wait(self, timeout_s: float) -> list[Result]:
        """Returns the results that are there, as soon as there is one, or none after ``timeout_s`` seconds.

        Raises:
            RunError: if nothing is left that could evaluate a trial.
        """

    @abstractmethod
    def stop(self, trial_ids: Iterable[int]) -> None:
        """Kills the processes of these trials; :meth:`wait` returns them with status ``stopped``, or finished."""

    @abstractmethod
    def close(self) -> None:
        """Kills what still runs and frees everything."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
