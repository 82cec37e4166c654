"""Executors run trials; see :mod:`metaopt.executors.base` for the contract.

A new executor is one file, one line here, and one line in ``tests/executors/test_contract.py``.
"""

EXECUTORS = {
    "dask": "metaopt.executors.dask.executor:DaskExecutor",
    "simulated": "metaopt.executors.simulated:SimulatedExecutor",
    "serial": "metaopt.executors.serial:SerialExecutor",
}
