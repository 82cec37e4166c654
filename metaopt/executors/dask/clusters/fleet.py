"""The workers that a cluster of ours has asked for: which have come, which are lost, and how to replace them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Set
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

Name = Hashable  # as Dask calls a worker

_MOST_ROUNDS = 3  # of jobs that all end before their workers come
_ASK_S = 20.0  # between two questions to a batch system about its queue


@dataclass(frozen=True, slots=True)
class Submissions:
    """What a batch system has said of jobs, by name.

    Attributes:
        accepted: What it calls those that it took.
        refused: What it said of each that it did not take.
        ask: Returns what it calls all jobs that it has; None if it does not say.
    """

    accepted: dict[Name, str] = field(default_factory=dict)
    refused: dict[Name, str] = field(default_factory=dict)
    ask: Callable[[], Set[str] | None] = lambda: None


def of_others() -> Fleet:
    """Returns the fleet of a cluster whose workers others start: none of them is planned here, or replaced."""
    return Fleet(SimpleNamespace(worker_spec={}), None)


class Fleet:
    """Workers of one of Dask's cluster objects, which itself forgets none that it has started.

    Every worker has a name of its own from now on: Dask would give that of a lost one to the next, and then take what
    becomes of the one for the other's.

    Args:
        cluster: One of Dask's that is told how many workers to have.
        workers: How many there should be; None: Dask decides, by what waits.
        submissions: Of a batch system, where a worker may take any time until it comes; None: workers start at once.
    """

    def __init__(self, cluster: Any, workers: int | None, submissions: Submissions | None = None) -> None:
        self._cluster, self._workers, self.queued = cluster, workers, submissions is not None
        self._submissions = submissions or Submissions()
        self._come: set[Name] = set()
        self._stillborn: set[Name] = set()
        self._asked_at = 0.0
        self._failed_starts = 0
        self._gone: dict[Name, float] = {}
        numbers = itertools.count(len(cluster.worker_spec))
        cluster._new_worker_name = lambda _: f"metaopt-{next(numbers)}"

    def look(self, present: Set[Name], now: float) -> None:
        """Takes note of the workers that are connected at this time, in seconds."""
        if present - self._come:
            self._failed_starts = 0
        self._come |= present
        if now - self._asked_at > _ASK_S and self.pending:
            self._asked_at = now
            self._ask()
        gone = set(self._cluster.worker_spec) - present
        if self.queued:
            gone &= self._come | self._stillborn | self._submissions.refused.keys()
        self._gone = {name: self._gone.get(name, now) for name in gone}

    def _ask(self) -> None:
        """Takes note of jobs that have ended before their workers came: canceled in the queue, or failed at once."""
        waiting = {name: self._submissions.accepted[name] for name in self._waiting()}
        if (known := self._submissions.ask()) is not None:
            ended = {name for name, job in waiting.items() if job not in known} - self._come
            self._stillborn |= ended
            self._failed_starts += len(ended)

    def _waiting(self) -> Set[Name]:
        accepted = set(self._submissions.accepted)
        return (accepted & set(self._cluster.worker_spec)) - self._come - self._stillborn

    def came(self, name: Name) -> None:
        """Takes note of a worker that was connected once, and may be gone before anybody has looked."""
        self._failed_starts = 0
        self._come.add(name)

    @property
    def any_came(self) -> bool:
        """Whether there ever was a worker."""
        return bool(self._come)

    @property
    def is_short(self) -> bool:
        """Whether workers are lost, or refused; what is in the queue is on its way."""
        return bool(self._gone)

    @property
    def pending(self) -> int:
        """How many jobs are in the queue, as far as is known here."""
        return len(self._waiting())

    @property
    def failed_starts(self) -> int:
        """How many jobs in a row have ended before their workers came."""
        return self._failed_starts

    @property
    def is_hopeless(self) -> bool:
        """Whether that was so of all jobs, time and again."""
        return self._failed_starts >= _MOST_ROUNDS * max(1, self._workers or len(self._cluster.worker_spec))

    @property
    def refusal(self) -> str:
        """What the batch system has said last of a job that it did not take; empty if it took all."""
        return next(reversed(self._submissions.refused.values()), "")

    def replace(self, now: float, delay_s: float) -> bool:
        """Ends what is left of workers that have been gone for so long, and asks for others in their place.

        Returns:
            Whether there were any.
        """
        lost = [name for name, since in self._gone.items() if now - since > delay_s]
        for name in lost:
            self._cluster.worker_spec.pop(name, None)  # unless Dask itself has just dropped it
            del self._gone[name]
        planned = len(self._cluster.worker_spec)
        wanted = planned if self._workers is None else self._workers
        if lost or planned < wanted:
            self._cluster.scale(wanted)
        return bool(lost)
