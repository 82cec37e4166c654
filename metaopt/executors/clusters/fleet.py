"""The workers that a cluster of ours has asked for: which have come, which are lost, and how to replace them."""

from __future__ import annotations

from collections.abc import Hashable, Set
from typing import Any

Name = Hashable  # as Dask calls a worker: a number on this machine, text in a batch system


class Fleet:
    """Workers of one of Dask's cluster objects, which itself forgets none that it has started.

    Args:
        cluster: One of Dask's that is told how many workers to have.
        workers: How many there should be; None: Dask decides, by what waits.
        queued: Whether a worker may take any time until it comes, as a job in a queue does.
        refused: What the batch system has said of jobs that it does not take, by name; others write it.
    """

    def __init__(self, cluster: Any, workers: int | None, *, queued: bool, refused: dict[Name, str] | None = None):
        self._cluster, self._workers, self.queued = cluster, workers, queued
        self._refused = {} if refused is None else refused
        self._come: set[Name] = set()
        self._present: Set[Name] = frozenset()

    def look(self, present: Set[Name]) -> None:
        """Takes note of the workers that are connected now."""
        self._present = present
        self._come |= present

    def came(self, name: Name) -> None:
        """Takes note of a worker that was connected once, and may be gone before anybody has looked."""
        self._come.add(name)

    @property
    def pending(self) -> int:
        """How many jobs are in the queue, as far as is known here."""
        return len(self._asked - self._come - self._refused.keys()) if self.queued else 0

    @property
    def refusal(self) -> str:
        """What the batch system has said of a job that it does not take; empty if it takes all."""
        return next((self._refused[name] for name in self._asked if name in self._refused), "")

    @property
    def is_short(self) -> bool:
        """Whether workers are lost; what is in the queue is on its way."""
        return bool(self._lost)

    def forget(self) -> None:
        """Ends what is left of lost workers; :meth:`fill` starts others in their place."""
        for name in self._lost:
            del self._cluster.worker_spec[name]
            self._come.discard(name)  # another of this name is in the queue again
            self._refused.pop(name, None)
        self._cluster.scale(len(self._cluster.worker_spec))

    def fill(self) -> None:
        """Starts workers in the place of forgotten ones.

        Not before those have ended: Dask gives their names again, and would take the new ones for the old.
        """
        missing = self._workers is not None and len(self._asked) < self._workers
        if missing and self._cluster.workers.keys() <= self._asked:
            self._cluster.scale(self._workers)

    @property
    def _asked(self) -> Set[Name]:
        return set(self._cluster.worker_spec)

    @property
    def _lost(self) -> Set[Name]:
        """Those that are gone or refused; here, also those that have not come so far."""
        gone = self._asked - self._present
        return gone & (self._come | self._refused.keys()) if self.queued else gone
