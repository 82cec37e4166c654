"""A Dask cluster of worker processes on this machine, one thread each, reachable from this machine only."""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import Client, LocalCluster, as_completed

from metaopt import safe_path
from metaopt.executors import fork_server

#: How often a task is started again after its worker was lost under it.
ALLOWED_FAILURES = 3

#: Of a scheduler in this process: a dashboard of None would still open port 8787, and warn where another run has it.
SCHEDULER_OPTIONS = {"dashboard_address": "127.0.0.1:0", "dashboard": False}

#: Of every worker, also of those in jobs.
WORKER_SETTINGS = {
    "distributed.worker.daemon": False,  # a daemonic process may not have children
    # What Dask watches itself by, a hundred times a second, would cost searches several percent of a core.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


def dask_settings(threads: int) -> dict[str, Any]:
    """Returns Dask's configuration for a cluster of ours; to be kept until its end, as new workers read it again.

    Args:
        threads: Of the numerical libraries in each worker.
    """
    return {
        **WORKER_SETTINGS,
        "distributed.nanny.pre-spawn-environ": fork_server.child_environment(threads),
        "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
        # Dask's own watch closes a worker that is just coming back after a second loss: never.
        "distributed.deploy.lost-worker-timeout": "10000 days",
        # Of a trial: a cluster that adapts asks at once for a job for each, not for one and then more.
        "distributed.scheduler.unknown-task-duration": "1 hour",
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "logging.distributed": "critical",
    }


@contextlib.contextmanager
def local_cluster(workers: int, threads: int = 1) -> Iterator[Client]:
    """Starts a cluster, yields its client, and ends it.

    Args:
        workers: Number of worker processes.
        threads: Of the numerical libraries in each.
    """
    with dask.config.set(dask_settings(threads)):
        with _interrupts_held_back():
            cluster = LocalCluster(
                n_workers=0,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=SCHEDULER_OPTIONS["dashboard_address"],
                scheduler_kwargs={"dashboard": SCHEDULER_OPTIONS["dashboard"]},
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
        with cluster, Client(cluster) as client:
            # Not above: there, one worker that is killed while it starts would take the whole cluster with it.
            cluster.scale(workers)
            yield client


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Blocks SIGINT here and, for good, in all threads and processes started meanwhile; this thread gets it later.

    A terminal's Ctrl-C reaches workers too, and one that is just starting would take its cluster down with it.
    """
    with safe_path.for_children():
        resource_tracker.ensure_running()  # else the first worker's thread starts it, which unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_all(client: Client, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
    """Runs ``function`` on every item, on any worker; yields what it returns as it comes in."""
    for future in as_completed(client.map(function, items, pure=False)):
        yield future.result()
