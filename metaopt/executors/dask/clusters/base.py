"""The contract of a kind of cluster: a context manager that connects, yields a :class:`Cluster`, and frees it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from distributed import Client

from metaopt.core import registry
from metaopt.executors.dask.clusters import CLUSTERS
from metaopt.executors.dask.clusters.fleet import Fleet
from metaopt.executors.dask.clusters.settings import ClusterSettings
from metaopt.executors.open_files import ensure_open_files

#: Files that a driver has open besides those of its workers.
_FILES = 128


@dataclass(frozen=True, slots=True)
class Cluster:
    """A scheduler that can be given tasks, and what can be done about lost workers.

    Attributes:
        client: Connected to the scheduler.
        fleet: The workers that are started here.
        advice: What the user can do when there is no worker.
    """

    client: Client
    fleet: Fleet
    advice: str


def connected(settings: ClusterSettings) -> AbstractContextManager[Cluster]:
    """Returns the cluster that ``settings`` describe, to be entered.

    Raises:
        ConfigError: when it is entered, if it cannot be had as described; at once, if too few files may be open.
    """
    ensure_open_files(_FILES)
    manager: AbstractContextManager[Cluster] = registry.load(CLUSTERS[settings.kind])(settings)
    return manager
