"""Where Dask workers come from; see :mod:`metaopt.executors.clusters.base` for the contract.

A new kind is one function, one line here, its settings in :mod:`metaopt.cluster_settings`, and one line in
``tests/executors/clusters/test_contract.py``.
"""

CLUSTERS = {
    "local": "metaopt.executors.clusters.local:local",
    "scheduler": "metaopt.executors.clusters.scheduler:scheduler",
    "slurm": "metaopt.executors.clusters.batch:batch",
    "pbs": "metaopt.executors.clusters.batch:batch",
    "sge": "metaopt.executors.clusters.batch:batch",
    "lsf": "metaopt.executors.clusters.batch:batch",
}
