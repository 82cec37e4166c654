"""Watches the workers of a Dask cluster: counts those that can be used, replaces lost ones, and gives up in the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from metaopt.errors import RunError
from metaopt.executors.clusters.base import Cluster
from metaopt.executors.dask_worker import MISFIT, SLOT

_LOOK_S = 0.5  # between two questions to the scheduler
_SCHEDULER_LOST_S = 10.0
_AGAIN = "then go on with: metaopt resume RUN"
_log = logging.getLogger(__name__)


class Watch:
    """Knows how many workers there are.

    Args:
        cluster: Connected.
        workers: How many there should be; None: as many as there are.
        replace_after_s: Seconds after which a worker that did not come back by itself is replaced; doubled each time.
        lost_after_s: Seconds without any worker that can be used, after which the run is given up.
        renew: Called when another scheduler answers at the address of the first, which knows nothing of the run.
    """

    def __init__(
        self,
        cluster: Cluster,
        workers: int | None,
        replace_after_s: float,
        lost_after_s: float,
        renew: Callable[[], None],
    ) -> None:
        self._cluster, self._client = cluster, cluster.client
        self._wanted, self._replace_after_s, self._lost_after_s = workers, replace_after_s, lost_after_s
        self._none_since: float | None = None
        self._fewer_since: float | None = None
        self._cut_off_since: float | None = None
        self._looked_at = float("-inf")
        self._hosts: list[str] = []
        self._misfits: dict[str, str] = {}
        self._renew = renew
        self._scheduler_id = self._client.scheduler_info()["id"]
        self._client.subscribe_topic(MISFIT, self._note)

    def _note(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Runs in a thread of the client's."""
        what = event[1]
        if what["worker"] not in self._misfits:
            self._misfits[what["worker"]] = what["reason"]
            _log.warning("the worker %s is not used: %s", what["worker"], what["reason"])

    @property
    def usable(self) -> int:
        """How many workers there are that can be given trials."""
        return len(self.hosts)

    @property
    def hosts(self) -> list[str]:
        """The machine of each of them."""
        now = time.monotonic()
        if now - self._looked_at > _LOOK_S:
            self._looked_at, self._hosts = now, self._look()
        return self._hosts

    def _look(self) -> list[str]:
        try:
            scheduler = self._client.scheduler_info()
            if scheduler["id"] != self._scheduler_id:
                self._client.subscribe_topic(MISFIT, self._note)
                self._renew()
                self._scheduler_id = scheduler["id"]
        except Exception:  # whatever Dask raises when the connection is lost, which check() sees by itself
            return []
        return [worker["host"] for worker in scheduler["workers"].values() if worker["resources"].get(SLOT)]

    def check(self, waiting: int) -> None:
        """Replaces workers that stay away: Dask gives up one that is lost while it starts.

        Args:
            waiting: How many trials are under way.

        Raises:
            RunError: if the scheduler or all workers have been gone for too long, or if none of them fits.
        """
        now = time.monotonic()
        self._check_scheduler(now)
        usable = self.usable
        self._check_workers(now, usable, waiting)
        if self._wanted is None or usable >= self._wanted:
            self._fewer_since = None
        elif self._fewer_since is None:
            self._fewer_since = now
        elif now - self._fewer_since > self._replace_after_s:
            self._cluster.add(self._wanted - usable)
            # A machine on which workers start slowly must not be buried under more of them.
            self._fewer_since, self._replace_after_s = now, 2 * self._replace_after_s

    def _check_scheduler(self, now: float) -> None:
        if self._client.status == "running":
            self._cut_off_since = None
        elif self._cut_off_since is None:
            self._cut_off_since = now
        elif now - self._cut_off_since > _SCHEDULER_LOST_S:
            raise RunError(
                f"the Dask scheduler has been gone for {_SCHEDULER_LOST_S:g} s; nothing that is finished is lost",
                f"start it and its workers again, {_AGAIN}",
            )

    def _check_workers(self, now: float, usable: int, waiting: int) -> None:
        if usable:
            self._none_since = None
            return
        if self._misfits:
            worker, reason = next(iter(self._misfits.items()))
            raise RunError(
                f"no Dask worker can be used: {worker} is not like this driver: {reason}",
                "install the same there as here, best of all from the same lock file",
            )
        if self._none_since is None:
            self._none_since = now
        elif now - self._none_since > self._lost_after_s:
            raise RunError(
                f"no Dask worker has been alive for {self._lost_after_s:g} s; {waiting} trials wait for one",
                f"{self._cluster.advice}, {_AGAIN}",
            )
