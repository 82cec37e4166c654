from __future__ import annotations

import logging
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from batch_system import SYSTEMS, BatchSystem
from faults import hold_of
from harness import results_of, wait_until
from metaopt.core.errors import ConfigError, RunError
from metaopt.executors.base import Recipe
from metaopt.executors.dask.clusters.batch import job_script
from metaopt.executors.dask.clusters.settings import BatchSettings, load_cluster
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.testing.executor_contract import trial
from outside import answers_in_the_clear


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
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3] / "helpers"))
    yield system
    system.close()


def crew_of(path: Path, log: Path, sleep_s: float = 0.2) -> DaskExecutor:
    recipe = Recipe("faults:Faults", {"log": str(log), "sleep_s": sleep_s})
    return DaskExecutor(recipe, None, load_cluster(str(path)), replace_after_s=2.0)


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
        assert {result.status for result in results_of(crew).values()} == {"ok"}
        assert len(system.jobs) == 2
        group = psutil.Process(system.jobs[0])
        listening = [
            connection.laddr.ip
            for process in (group, *group.children(recursive=True))
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and answers_in_the_clear(connection.laddr)
        ]
        assert set(listening) <= {"127.0.0.1"}
    wait_until(lambda: not system.running)
    assert not list((tmp_path / "shared").rglob("*.pem"))


@pytest.mark.slow
@pytest.mark.parametrize("adapts", [{}, {"minimum": 0}], ids=["kept", "adapts"])
def test_a_job_that_is_lost_is_replaced_and_its_trial_runs_again(
    system: BatchSystem, tmp_path: Path, adapts: dict[str, int]
) -> None:
    log = tmp_path / "log.txt"
    hold_of(log).touch()
    with crew_of(cluster_file(tmp_path, workers=1, **adapts), log) as crew:
        wait_until(lambda: crew.free)
        crew.submit(trial(0), tmp_path / "0")
        wait_until(log.exists)
        system.kill(system.jobs[0])
        hold_of(log).unlink()
        assert results_of(crew)[0].status == "ok"
        assert len(system.jobs) == 2


@pytest.mark.slow
def test_a_cluster_that_adapts_has_jobs_while_there_is_something_to_do(system: BatchSystem, tmp_path: Path) -> None:
    with crew_of(cluster_file(tmp_path, workers=2, minimum=0), tmp_path / "log.txt") as crew:
        assert crew.free == 2
        assert not system.jobs
        crew.submit(trial(0), tmp_path / "0")
        assert results_of(crew)[0].status == "ok"
        wait_until(lambda: not system.running)


@pytest.mark.slow
def test_jobs_may_wait_in_the_queue_and_are_not_submitted_again(
    system: BatchSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Several times as long as lost workers are waited for."""
    system.hold()
    recipe = Recipe("faults:Faults", {})
    settings = load_cluster(str(cluster_file(tmp_path)))
    with (
        DaskExecutor(recipe, None, settings, replace_after_s=0.3, lost_after_s=1.0) as crew,
        caplog.at_level(logging.WARNING),
    ):
        for _ in range(20):
            assert crew.wait(0.25) == []
        assert len(system.jobs) == 2
        assert caplog.text.count("2 jobs submitted, no worker of theirs for 1 s: look at the queue of slurm") == 1
        system.release()
        wait_until(lambda: crew.wait(0.1) or crew.free == 2)
        assert len(system.jobs) == 2


@pytest.mark.slow
def test_every_generation_of_jobs_is_replaced_as_soon_as_the_first(system: BatchSystem, tmp_path: Path) -> None:
    recipe = Recipe("faults:Faults", {})
    settings = load_cluster(str(cluster_file(tmp_path, workers=1)))
    with DaskExecutor(recipe, None, settings, replace_after_s=1.0) as crew:
        for generation in range(1, 7):
            wait_until(lambda: crew.wait(0.1) or crew.free)
            assert len(system.jobs) == generation
            system.kill(system.jobs[-1])
            wait_until(lambda: crew.wait(0.1) or not crew.free)
        assert crew._watch._delay_s == 1.0


@pytest.mark.slow
def test_jobs_of_several_cores_have_a_trial_each(system: BatchSystem, tmp_path: Path) -> None:
    path, log = cluster_file(tmp_path, workers=2, minimum=0, threads=4), tmp_path / "log.txt"
    hold_of(log).touch()
    with crew_of(path, log) as crew:
        for number in range(2):
            crew.submit(trial(number), tmp_path / str(number))
        wait_until(lambda: crew.wait(0.1) or len(system.jobs) == 2)
        hold_of(log).unlink()
        assert {result.status for result in results_of(crew).values()} == {"ok"}


@pytest.mark.slow
def test_a_cluster_that_adapts_asks_for_a_job_for_each_trial_and_again_after_a_rest(
    system: BatchSystem, tmp_path: Path
) -> None:
    """A job in the queue is on its way, whatever earlier ones have done."""
    with crew_of(cluster_file(tmp_path, minimum=0), tmp_path / "log.txt") as crew:
        for turn, least in ((0, 2), (1, 1)):  # of trials as short as the first ones were, Dask may let one job do both
            before = len(system.jobs)
            system.hold()
            for number in range(2):
                crew.submit(trial(2 * turn + number), tmp_path / str(2 * turn + number))
            wait_until(lambda n=before + least: crew.wait(0.1) or len(system.jobs) >= n)
            for _ in range(20):  # longer than a lost one is waited for
                assert crew.wait(0.25) == []
            assert len(system.jobs) <= before + 2
            system.release()
            assert {result.status for result in results_of(crew).values()} == {"ok"}
            wait_until(lambda: crew.wait(0.1) or not system.running)


@pytest.mark.slow
def test_one_job_that_is_refused_is_said_and_costs_nothing(
    system: BatchSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    system.refuse(2)
    with crew_of(cluster_file(tmp_path), tmp_path / "log.txt") as crew, caplog.at_level(logging.WARNING):
        wait_until(lambda: crew.wait(0.1) or crew.free == 2)
        assert caplog.text.count("does not take a job") == 1
        crew.submit(trial(0), tmp_path / "0")
        assert results_of(crew)[0].status == "ok"
    wait_until(lambda: not system.running)


@pytest.mark.slow
def test_a_system_that_takes_no_job_for_a_while_is_asked_again(system: BatchSystem, tmp_path: Path) -> None:
    with crew_of(cluster_file(tmp_path, workers=1), tmp_path / "log.txt") as crew:
        wait_until(lambda: crew.wait(0.1) or crew.free)
        system.refuse()
        system.kill(system.jobs[0])
        wait_until(lambda: crew.wait(0.1) or crew._watch._refusals)
        assert not crew.free
        system.take()
        wait_until(lambda: crew.wait(0.1) or crew.free)


@pytest.mark.slow
@pytest.mark.parametrize("minimum", [None, 1])
def test_what_the_system_says_of_a_job_that_it_refuses_is_passed_on(
    system: BatchSystem, tmp_path: Path, minimum: int | None
) -> None:
    system.refuse()
    path = cluster_file(tmp_path, **({} if minimum is None else {"minimum": minimum}))
    with (
        crew_of(path, tmp_path / "log.txt") as crew,
        pytest.raises(RunError, match=r"takes no job: .*invalid partition specified"),
    ):
        wait_until(lambda: crew.wait(0.2))


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
    assert worker.count("--nthreads") == worker.count("--nthreads 1 ") == 1
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


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot make .*file/shared"):
        job_script(settings_of(cluster_file(tmp_path, shared=str(tmp_path / "file" / "shared"))))


@pytest.mark.parametrize("kind", SYSTEMS)
def test_a_script_hands_on_every_value_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Run by a real shell, with names that mean something to it."""
    home = "ta'bles \"$(touch caught)`touch caught`\n; touch caught"
    monkeypatch.setenv("METAOPT_HOME", f"/{home}")
    python = tmp_path / "my env; touch caught" / "python'3"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nprintf \'%s\\0\' "$METAOPT_HOME" "$MINE" "$@" > "$SAID"\n')
    python.chmod(0o755)
    settings: dict[str, object] = {"queue": "gpu.q@node-1", "account": "lab/gpu", "interface": "eth0.100"}
    settings |= {"python": str(python), "prologue": ["export MINE=two", "# said by me"], "directives": ['-x "a b"']}
    script = tmp_path / "script"
    script.write_text(job_script(settings_of(cluster_file(tmp_path, kind, **settings))))
    said = tmp_path / "said"
    subprocess.run(["bash", script], cwd=tmp_path, env={**os.environ, "SAID": str(said)}, check=True)
    words = said.read_text().split("\0")[:-1]
    assert words[:4] == [f"/{home}", "two", "-m", "distributed.cli.dask_worker"]
    assert words[words.index("--interface") + 1] == "eth0.100"
    assert not (tmp_path / "caught").exists()
    before = script.read_text().partition("\nexport ")[0].splitlines()
    assert all(line.startswith("#") for line in before if line)


def test_without_the_commands_of_the_system_the_error_says_where_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="sbatch is not on this machine"):
        crew_of(cluster_file(tmp_path), tmp_path / "log.txt")
