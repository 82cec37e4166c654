from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import dask
import psutil
import pytest
from distributed import Client
from distributed.security import Security

import harness
from metaopt.core.errors import ConfigError
from metaopt.executors.dask.local import local_cluster, run_all


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


ODD_SETTINGS = {
    "COMM__REQUIRE_ENCRYPTION": "True",
    "COMM__TIMEOUTS__CONNECT": "1ms",
    "SCHEDULER__ALLOWED_FAILURES": "0",
    "SCHEDULER__IDLE_TIMEOUT": "10ms",
    "SCHEDULER__NO_WORKERS_TIMEOUT": "10ms",
    "SCHEDULER__PICKLE": "False",
    "SCHEDULER__WORKER_TTL": "10ms",
    "WORKER__DAEMON": "True",
    "WORKER__LIFETIME__DURATION": "2s",
    "WORKER__MULTIPROCESSING_METHOD": "fork",
    "NANNY__PRE_SPAWN_ENVIRON": "{'OMP_NUM_THREADS': 7}",
}


@pytest.mark.slow
def test_settings_of_dask_for_other_programs_change_nothing(tmp_path: Path) -> None:
    odd = {f"DASK_DISTRIBUTED__{name}": value for name, value in ODD_SETTINGS.items()}
    words = "tune --optimizer darts --budget 6 --no-report --confirm 0 --tuner random --folder run --executor dask"
    run = harness.command(*words.split(), "--workers", 2)
    done = harness.finish(run, harness.environment(tmp_path, FAULTS_SLEEP_S=1.5, **odd), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "6 evaluations, " in done.stdout
    assert "restart" not in done.stdout


def test_no_other_user_of_the_machine_joins() -> None:
    with local_cluster(1) as client:
        address = client.scheduler_info()["address"]
        assert address.startswith("tls://127.0.0.1:")
        with pytest.raises(OSError, match=r"."):
            Client(address.replace("tls://", "tcp://"), timeout=3, set_as_default=False)
        with pytest.raises(OSError, match=r"."):
            Client(address, security=Security.temporary(), timeout=3, set_as_default=False)


def test_where_encryption_is_wanted_and_cannot_be_had_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(**settings: object) -> Security:
        raise ImportError("cryptography")

    monkeypatch.setattr(Security, "temporary", lacking)
    with local_cluster(1) as client:
        assert client.scheduler_info()["address"].startswith("tcp://127.0.0.1:")
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(ConfigError, match="wants encrypted connections"),
        local_cluster(1),
    ):
        pass


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
