from __future__ import annotations

import http.client
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from batch_system import SYSTEMS, BatchSystem
from harness import wait_until
from metaopt.cluster_settings import BatchSettings, load_cluster
from metaopt.errors import ConfigError
from metaopt.executors.base import Recipe
from metaopt.executors.clusters.batch import job_script
from metaopt.executors.dask_cluster import DaskExecutor
from metaopt.testing.executor_contract import trial
from metaopt.trial import Result


def cluster_file(folder: Path, kind: str = "slurm", **settings: object) -> Path:
    path = folder / "cluster.yaml"
    least = {"kind": kind, "workers": 2, "memory": "2GB", "walltime": "01:00:00", "shared": str(folder / "shared")}
    path.write_text(yaml.safe_dump({**least, **settings}))
    return path


def settings_of(path: Path) -> BatchSettings:
    settings = load_cluster(str(path))
    assert isinstance(settings, BatchSettings)
    return settings


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[BatchSystem]:
    (tmp_path / "system").mkdir()
    system = BatchSystem(tmp_path / "system", getattr(request, "param", "slurm"))
    monkeypatch.setenv("PATH", f"{system.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    yield system
    system.close()


def crew_of(path: Path, log: Path, sleep_s: float = 0.2) -> DaskExecutor:
    recipe = Recipe("faults:Faults", {"log": str(log), "sleep_s": sleep_s})
    return DaskExecutor(recipe, None, load_cluster(str(path)), replace_after_s=2.0)


def finish(crew: DaskExecutor) -> dict[int, Result]:
    results: list[Result] = []
    wait_until(lambda: results.extend(crew.wait(0.2)) or not crew.running)
    return {result.trial_id: result for result in results}


@pytest.mark.slow
@pytest.mark.parametrize(("system", "kind"), [(kind, kind) for kind in SYSTEMS], indirect=["system"])
def test_trials_run_in_jobs_that_end_with_the_driver(system: BatchSystem, kind: str, tmp_path: Path) -> None:
    with crew_of(cluster_file(tmp_path, kind), tmp_path / "log.txt") as crew:
        assert crew.free == 0
        wait_until(lambda: crew.free == 2)
        keys = list((tmp_path / "shared").rglob("*.pem"))
        assert len(keys) == 2
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in keys)
        for number in range(2):
            crew.submit(trial(number), tmp_path / str(number))
        assert {result.status for result in finish(crew).values()} == {"ok"}
        assert len(system.jobs) == 2
        group = psutil.Process(system.jobs[0])
        listening = [
            connection.laddr.ip
            for process in (group, *group.children(recursive=True))
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and _is_http(connection.laddr)
        ]
        assert set(listening) <= {"127.0.0.1"}
    wait_until(lambda: not system.running)
    assert not list((tmp_path / "shared").rglob("*.pem"))


def _is_http(address: tuple[str, int]) -> bool:
    """Returns whether something answers there without TLS, as a dashboard would."""
    connection = http.client.HTTPConnection(*address, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@pytest.mark.slow
def test_a_job_that_is_lost_is_replaced_and_its_trial_runs_again(system: BatchSystem, tmp_path: Path) -> None:
    with crew_of(cluster_file(tmp_path, workers=1), tmp_path / "log.txt", sleep_s=1.0) as crew:
        wait_until(lambda: crew.free)
        crew.submit(trial(0), tmp_path / "0")
        wait_until((tmp_path / "log.txt").exists)
        system.kill(system.jobs[0])
        assert finish(crew)[0].status == "ok"
        assert len(system.jobs) == 2


@pytest.mark.slow
def test_a_cluster_that_adapts_has_jobs_while_there_is_something_to_do(system: BatchSystem, tmp_path: Path) -> None:
    with crew_of(cluster_file(tmp_path, workers=2, minimum=0), tmp_path / "log.txt") as crew:
        assert crew.free == 2
        assert not system.jobs
        crew.submit(trial(0), tmp_path / "0")
        assert finish(crew)[0].status == "ok"
        wait_until(lambda: not system.running)


def test_the_script_is_what_would_be_submitted(tmp_path: Path) -> None:
    path = cluster_file(
        tmp_path,
        threads=4,
        queue="gpu",
        account="lab",
        directives=["--gres=gpu:1"],
        prologue=["module load cuda"],
    )
    lines = job_script(settings_of(path)).splitlines()
    for line in ("-p gpu", "-A lab", "--gres=gpu:1", "--cpus-per-task=4", "-t 01:00:00", "--mem=2G"):
        assert f"#SBATCH {line}" in lines
    assert lines.index("module load cuda") < len(lines) - 1
    worker = next(line for line in lines if "dask_worker" in line)
    assert "tls://DRIVER:PORT" in worker
    assert "--dashboard-address 127.0.0.1:0" in worker
    assert "--lifetime 3312s" in worker
    assert "export DASK_DISTRIBUTED__WORKER__DAEMON=False" in lines


@pytest.mark.parametrize(
    ("kind", "settings", "wanted"),
    [
        ("pbs", {"resources": "select=1:ncpus=4:ngpus=1"}, "#PBS -l select=1:ncpus=4:ngpus=1"),
        ("sge", {"account": "lab", "resources": "gpu=1"}, "#$ -P lab"),
        ("lsf", {"account": "lab"}, "#BSUB -W 1:00"),
    ],
)
def test_every_system_has_its_own_words(tmp_path: Path, kind: str, settings: dict[str, str], wanted: str) -> None:
    assert wanted in job_script(settings_of(cluster_file(tmp_path, kind, **settings))).splitlines()


def test_without_the_commands_of_the_system_the_error_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sbatch is not on this machine"):
        crew_of(cluster_file(tmp_path), tmp_path / "log.txt")
