from __future__ import annotations

import os
import signal
import time

import dask
import psutil
import pytest

from metaopt.executors.local_cluster import local_cluster, run_all


def look(item: int) -> tuple[int, int, str]:
    time.sleep(0.05)
    return item, os.getpid(), os.environ["OMP_NUM_THREADS"]


def is_deaf(item: int) -> bool:
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_interrupts_do_not_reach_the_workers_and_are_kept_for_this_process() -> None:
    with local_cluster(2) as client:
        client.wait_for_workers(2)
        assert all(client.run(is_deaf, 0).values())
        assert not is_deaf(0)


def test_everything_runs_once_on_worker_processes_with_their_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # it would go before the setting
    before = dask.config.get("distributed.worker.daemon")
    with local_cluster(2, threads=3) as client:
        assert dask.config.get("distributed.worker.daemon") is False
        answers = list(run_all(client, look, [5, 5, 6, 7, 8, 9]))
    assert sorted(item for item, _, _ in answers) == [5, 5, 6, 7, 8, 9]
    assert {threads for _, _, threads in answers} == {"3"}
    workers = {pid for _, pid, _ in answers}
    assert os.getpid() not in workers
    assert not any(psutil.pid_exists(pid) for pid in workers)
    assert dask.config.get("distributed.worker.daemon") == before
