"""Whether Dask does tasks on this machine."""

from __future__ import annotations

from metaopt.doctor.finding import Finding
from metaopt.executors.dask.local import local_cluster

_DASK_S = 60.0


def dask() -> Finding:
    """Whether a worker process of a cluster on this machine does a task."""
    with local_cluster(1) as client:
        length = client.submit(len, (1, 2, 3)).result(timeout=_DASK_S)
    if length != 3:
        return Finding("problem", f"a worker says that 3 is {length}", "install distributed again")
    return Finding("ok", "a worker of a cluster on this machine has done a task")
