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

from metaopt.core import safe_path
from metaopt.core.errors import ConfigError, with_extra
from metaopt.executors.dask.connections import Encryption, ending_without_them
from metaopt.executors.open_files import ensure_open_files
from metaopt.executors.process import fork_server

#: Files that a driver has open besides those of its workers, and those that each of them costs it.
_FILES, _FILES_OF_WORKER = 128, 8

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


#: What a run relies on, and what an environment or a file of Dask's may say otherwise for other programs.
_PINNED: dict[str, Any] = {
    "distributed.comm.timeouts.connect": "30s",
    "distributed.comm.timeouts.tcp": "30s",
    "distributed.scheduler.blocked-handlers": [],
    "distributed.scheduler.idle-timeout": None,
    "distributed.scheduler.no-workers-timeout": None,
    "distributed.scheduler.pickle": True,  # which Dask needs for its own messages by now
    "distributed.scheduler.validate": False,
    "distributed.scheduler.worker-ttl": "5 minutes",
    "distributed.worker.blocked-handlers": [],
    "distributed.worker.lifetime.duration": None,
    "distributed.worker.lifetime.restart": False,
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.worker.resources": {},
    "distributed.worker.validate": False,
}


def dask_settings(threads: int) -> dict[str, Any]:
    """Returns Dask's configuration for a cluster of ours; to be kept until its end, as new workers read it again.

    Args:
        threads: Of the numerical libraries in each worker.
    """
    return {
        **WORKER_SETTINGS,
        **_PINNED,
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

    Its connections are encrypted where the package cryptography is installed, by a key that is kept in memory, so that
    no other user of the machine can join.

    Args:
        workers: Number of worker processes.
        threads: Of the numerical libraries in each.

    Raises:
        ConfigError: if too few files may be open, or if Dask is told to encrypt and cannot.
    """
    ensure_open_files(_FILES + _FILES_OF_WORKER * workers)
    security = _security()
    with dask.config.set(dask_settings(threads)):
        with _interrupts_held_back():
            cluster = ending_without_them(LocalCluster)(
                n_workers=0,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=SCHEDULER_OPTIONS["dashboard_address"],
                scheduler_kwargs={"dashboard": SCHEDULER_OPTIONS["dashboard"]},
                memory_limit=0,
                security=security,
                silence_logs=logging.CRITICAL,
            )
        with cluster, Client(cluster) as client:
            # Not above: there, one worker that is killed while it starts would take the whole cluster with it.
            cluster.scale(workers)
            yield client


def _security() -> Encryption | None:
    try:
        security: Encryption = Encryption.temporary()
        return security
    except ImportError:
        if not dask.config.get("distributed.comm.require-encryption"):
            return None
    raise ConfigError(
        "Dask's configuration wants encrypted connections, and those need the package cryptography, which is not "
        "installed",
        f"{with_extra('clusters')}; or set {{--executor}} to serial",
    )


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
