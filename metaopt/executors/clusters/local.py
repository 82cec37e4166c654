"""Worker processes on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from metaopt.cluster_settings import ClusterSettings
from metaopt.executors.clusters.base import Cluster
from metaopt.executors.local_cluster import local_cluster


@contextlib.contextmanager
def local(settings: ClusterSettings) -> Iterator[Cluster]:
    """Starts ``settings.workers`` processes with one thread each, reachable from this machine only."""
    with local_cluster(settings.workers or 1, settings.threads) as client:
        yield Cluster(client, adder(client.cluster), "look at the memory of the machine")


def adder(cluster: Any) -> Any:
    """Returns what starts more workers of a Dask cluster; one that was lost stays in its plan for ever."""
    return lambda n: cluster.scale(len(cluster.worker_spec) + n)
