"""Where Dask workers come from; see :mod:`metaopt.executors.dask.clusters.base` for the contract.

A new kind is one function, one line here, its settings in :mod:`metaopt.executors.dask.clusters.settings`, and one
line in ``tests/executors/dask/clusters/test_contract.py``.
"""

CLUSTERS = {
    "local": "metaopt.executors.dask.clusters.local:local",
    "scheduler": "metaopt.executors.dask.clusters.scheduler:scheduler",
    "slurm": "metaopt.executors.dask.clusters.batch:batch",
    "pbs": "metaopt.executors.dask.clusters.batch:batch",
    "sge": "metaopt.executors.dask.clusters.batch:batch",
    "lsf": "metaopt.executors.dask.clusters.batch:batch",
}
