"""Worker processes on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from metaopt.executors.dask.clusters.base import Cluster
from metaopt.executors.dask.clusters.fleet import Fleet
from metaopt.executors.dask.clusters.settings import ClusterSettings
from metaopt.executors.dask.local import local_cluster


@contextlib.contextmanager
def local(settings: ClusterSettings) -> Iterator[Cluster]:
    """Starts ``settings.workers`` processes with one thread each, reachable from this machine only."""
    workers = settings.workers or 1
    with local_cluster(workers, settings.threads) as client:
        fleet = Fleet(client.cluster, workers)
        yield Cluster(client, fleet, "look at the memory of the machine")
