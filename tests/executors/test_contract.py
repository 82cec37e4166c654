from __future__ import annotations

from metaopt.core.registry import load
from metaopt.executors import EXECUTORS
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.executors.serial import SerialExecutor
from metaopt.executors.simulated import SimulatedExecutor
from metaopt.testing.executor_contract import ExecutorContract


class TestSerial(ExecutorContract):
    executor = SerialExecutor


class TestDask(ExecutorContract):
    executor = DaskExecutor
    workers = 2


def test_every_executor_is_here() -> None:
    tested = {suite.executor for suite in ExecutorContract.__subclasses__()}
    looking_up = {SimulatedExecutor}  # which refuses what takes real time; test_simulated.py has what it does instead
    assert {load(path) for path in EXECUTORS.values()} <= tested | looking_up
