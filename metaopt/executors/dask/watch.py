"""Watches the workers of a Dask cluster: counts those that can be used, replaces lost ones, and gives up in the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from metaopt.core.errors import RunError
from metaopt.core.harmless import one_line
from metaopt.core.wording import counted
from metaopt.executors.dask.clusters.base import Cluster
from metaopt.executors.dask.worker import Preparation

_LOOK_S = 0.5  # between two questions to the scheduler
_CUT_OFF_S = 10.0  # without a scheduler, until the user is told
_MOST_PATIENCE = 16  # times the usual delay, for a machine on which workers start slowly
_REFUSED = "correct the cluster file; metaopt cluster script FILE prints the job"
_AGAIN = "then go on with: metaopt resume RUN"
_log = logging.getLogger(__name__)


class Watch:
    """Knows how many workers there are.

    Args:
        cluster: Connected.
        preparation: Of the workers; says what those that can be used have.
        replace_after_s: Seconds after which a worker that did not come back by itself is replaced; doubled, up to a
            limit, as long as that does not help.
        lost_after_s: Seconds without a scheduler, or without any worker that can be used, after which the run is given
            up.
        renew: Called when another scheduler answers at the address of the first, which knows nothing of the run.
    """

    def __init__(
        self,
        cluster: Cluster,
        preparation: Preparation,
        replace_after_s: float,
        lost_after_s: float,
        renew: Callable[[], None],
    ) -> None:
        self._cluster, self._client, self._fleet = cluster, cluster.client, cluster.fleet
        self._slot, self._topic, self._renew = preparation.slot, preparation.topic, renew
        self._replace_after_s = self._delay_s = replace_after_s
        self._lost_after_s = lost_after_s
        self._none_since: float | None = None
        self._queued_since: float | None = None
        self._cut_off_since: float | None = None
        self._cut_off_told = False
        self._failed_starts = 0
        self._looked_at = float("-inf")
        self._workers: Mapping[str, Mapping[str, Any]] = {}
        self._misfits: dict[str, str] = {}
        self._refusals: set[str] = set()
        # Dask tries for so long to connect again, and then gives up for good.
        self._client._timeout = max(self._client._timeout, lost_after_s)
        self._scheduler_id = self._client.scheduler_info()["id"]
        self._client.subscribe_topic(self._topic, self._note)

    def _note(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Runs in a thread of the client's."""
        name = event[1]["name"]
        worker, host, reason = (one_line(str(event[1][key]), 500) for key in ("worker", "host", "reason"))
        self._fleet.came(name)
        if reason and worker not in self._misfits:
            self._misfits[worker] = f"{worker} on {host} cannot be used: {reason}"
            _log.warning("a worker is not used: %s", self._misfits[worker])

    @property
    def hosts(self) -> list[str]:
        """The machine of every worker that can be given trials."""
        if time.monotonic() - self._looked_at > _LOOK_S:
            self._workers = self._look()
            self._looked_at = time.monotonic()
        return [worker["host"] for worker in self._workers.values() if worker["resources"].get(self._slot)]

    def _look(self) -> Mapping[str, Mapping[str, Any]]:
        try:
            scheduler = self._client.scheduler_info()
            if scheduler["id"] != self._scheduler_id:
                self._client.subscribe_topic(self._topic, self._note)
                self._renew()
                self._scheduler_id = scheduler["id"]
        except Exception:  # whatever Dask raises when the connection is lost, which check() sees by itself
            return {}
        if self._client.status != "running":  # then it has repeated its last answer
            return {}
        workers: Mapping[str, Mapping[str, Any]] = scheduler["workers"]
        self._fleet.look({worker["name"] for worker in workers.values()}, time.monotonic())
        return workers

    def mend(self) -> None:
        """Replaces workers that stay away: Dask gives up one that is lost while it starts."""
        usable = len(self.hosts)
        if (refusal := self._fleet.refusal) and refusal not in self._refusals:
            self._refusals.add(refusal)
            _log.warning("the batch system does not take a job, which is submitted again later: %s", refusal)
        if self._fleet.replace(time.monotonic(), self._delay_s):
            if not self._fleet.queued:  # those that were slow have just been ended
                self._delay_s = min(2 * self._delay_s, _MOST_PATIENCE * self._replace_after_s)
        elif usable and not self._fleet.is_short:
            self._delay_s = self._replace_after_s

    def check(self, waiting: int) -> None:
        """Gives up where there is nothing left to wait for.

        Args:
            waiting: How many trials are under way.

        Raises:
            RunError: if the scheduler or all workers have been gone for too long, if none of them fits, or if a batch
                system takes no job.
        """
        now = time.monotonic()
        if self._is_cut_off(now):
            return  # nobody knows of workers meanwhile
        if self.hosts:
            self._none_since = self._queued_since = None
            return
        self._check_starts()
        if self._fleet.pending:
            self._none_since = None
            self._wait_for_queue(now, self._fleet.pending)
            return
        self._check_misfits()
        refusal = f"the batch system takes no job: {self._fleet.refusal}" if self._fleet.refusal else ""
        if refusal and not self._fleet.any_came:
            raise RunError(refusal, _REFUSED)
        if self._none_since is None:
            self._none_since = now
        elif now - self._none_since > self._lost_after_s:
            raise RunError(
                f"no Dask worker has been alive for {self._lost_after_s:g} s, and {counted(waiting, 'trial')} not done"
                + (refusal and f"; {refusal}"),
                f"{self._cluster.advice}, {_AGAIN}",
            )

    def _check_starts(self) -> None:
        failed = self._fleet.failed_starts
        if failed and not self._failed_starts:
            jobs = counted(failed, "job")
            _log.warning("%s ended before a worker came, and others are submitted: %s", jobs, self._cluster.advice)
        self._failed_starts = failed
        if self._fleet.is_hopeless:
            raise RunError(
                f"{failed} jobs in a row have ended before a worker came", f"{self._cluster.advice}, {_AGAIN}"
            )

    def _wait_for_queue(self, now: float, pending: int) -> None:
        """Says once where to look: a queue may take hours, and a job that fails at once looks the same from here."""
        if self._queued_since is None:
            self._queued_since = now
        elif now - self._queued_since > self._lost_after_s:
            self._queued_since = float("inf")
            jobs = counted(pending, "job")
            _log.warning(
                "%s submitted, no worker of theirs for %g s: %s", jobs, self._lost_after_s, self._cluster.advice
            )

    def _is_cut_off(self, now: float) -> bool:
        if self._client.status == "running":
            self._cut_off_since, self._cut_off_told = None, False
            return False
        if self._cut_off_since is None:
            self._cut_off_since = now
        gone_s = now - self._cut_off_since
        if gone_s > self._lost_after_s:
            raise RunError(
                f"the Dask scheduler has been gone for {self._lost_after_s:g} s; nothing that is finished is lost",
                f"start it and its workers again, {_AGAIN}",
            )
        if gone_s > _CUT_OFF_S and not self._cut_off_told:
            self._cut_off_told = True
            _log.warning("the Dask scheduler does not answer; it is waited for up to %g s", self._lost_after_s)
        self._none_since = None
        return True

    def _check_misfits(self) -> None:
        if self._workers and self._workers.keys() <= self._misfits.keys():
            raise RunError(
                f"no Dask worker can be used: {self._misfits[next(iter(self._workers))]}",
                "start it as docs/clusters.md says, with what is installed here, best of all from the same lock file, "
                f"and with memory and room for processes; {_AGAIN}",
            )
