from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from faults import hold_of
from harness import results_of, wait_until
from metaopt.core.errors import ConfigError, RunError
from metaopt.executors.base import Recipe
from metaopt.executors.dask import environment
from metaopt.executors.dask import worker as dask_worker
from metaopt.executors.dask.clusters.settings import load_cluster
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.testing.executor_contract import trial
from outside import Outside

pytestmark = pytest.mark.slow


def crew_of(outside: Outside, log: Path, sleep_s: float = 0.2, lost_after_s: float = 60.0) -> DaskExecutor:
    recipe = Recipe("faults:Faults", {"log": str(log), "sleep_s": sleep_s})
    return DaskExecutor(recipe, None, load_cluster(str(outside.cluster_file())), lost_after_s=lost_after_s)


def starts(log: Path) -> list[tuple[int, int]]:
    """Returns trial and process of every start so far."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(line.split()[2]), int(line.split()[3])) for line in lines]


def test_workers_join_late_take_one_trial_each_and_leave(outside: Outside, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with crew_of(outside, log, sleep_s=1.0) as crew:
        assert crew.free == 0
        outside.start_worker()
        wait_until(lambda: crew.free == 1)
        crew.submit(trial(0), tmp_path / "0")
        assert crew.free == 0
        second = outside.start_worker("--no-nanny")
        wait_until(lambda: crew.free == 1)
        crew.submit(trial(1), tmp_path / "1")
        assert {result.status for result in results_of(crew).values()} == {"ok"}
        second.terminate()
        wait_until(lambda: crew.free == 1)
    assert len(starts(log)) == 2


def test_the_scheduler_and_its_workers_outlive_the_driver(outside: Outside, tmp_path: Path) -> None:
    worker = outside.start_worker()
    for number in range(2):
        with crew_of(outside, tmp_path / "log.txt") as crew:
            wait_until(lambda crew=crew: crew.free)
            crew.submit(trial(number), tmp_path / str(number))
            assert results_of(crew)[number].status == "ok"
    assert worker.poll() is None


def test_nobody_joins_without_the_key(outside: Outside, tmp_path: Path) -> None:
    stranger = Outside(tmp_path / "other") if (tmp_path / "other").mkdir() is None else outside
    stranger.address = outside.address
    with pytest.raises(ConfigError, match=r"cannot connect to the Dask scheduler at tls://127.0.0.1:\d+"):
        crew_of(stranger, tmp_path / "log.txt")
    with pytest.raises(ConfigError, match="wants certificates, and none are given"):
        DaskExecutor(Recipe("faults:Faults", {}), None, load_cluster(outside.address))


def test_where_nobody_listens_the_error_says_so(outside: Outside, tmp_path: Path) -> None:
    outside.processes[0].kill()
    outside.processes[0].wait()
    with pytest.raises(ConfigError, match="cannot connect to the Dask scheduler"):
        crew_of(outside, tmp_path / "log.txt")


def test_a_worker_of_another_version_is_named_with_both(outside: Outside, tmp_path: Path) -> None:
    """It has another NumPy, as far as it knows."""
    other = tmp_path / "site"
    other.mkdir()
    (other / "sitecustomize.py").write_text(
        "from importlib import metadata\n"
        "real = metadata.version\n"
        "metadata.version = lambda name: '1.9.9' if name == 'numpy' else real(name)\n"
    )
    with crew_of(outside, tmp_path / "log.txt") as crew:
        outside.start_worker(PYTHONPATH=f"{other}:{Path(__file__).parents[3] / 'helpers'}")
        with pytest.raises(RunError, match=r"no Dask worker can be used: .* numpy 1\.9\.9, and the driver \d"):
            wait_until(lambda: crew.wait(0.2) or crew.free)


def test_a_worker_whose_children_dask_forbids_is_named_with_the_cure(outside: Outside, tmp_path: Path) -> None:
    with crew_of(outside, tmp_path / "log.txt") as crew:
        outside.start_worker(DASK_DISTRIBUTED__WORKER__DAEMON="True")
        with pytest.raises(RunError, match="set DASK_DISTRIBUTED__WORKER__DAEMON=False"):
            wait_until(lambda: crew.wait(0.2) or crew.free)


def test_a_lost_scheduler_ends_the_run_and_names_the_next_step(outside: Outside, tmp_path: Path) -> None:
    outside.start_worker()
    with crew_of(outside, tmp_path / "log.txt", sleep_s=600.0, lost_after_s=5.0) as crew:
        wait_until(lambda: crew.free)
        crew.submit(trial(0), tmp_path / "0")
        wait_until(lambda: starts(tmp_path / "log.txt"))
        outside.processes[0].kill()
        with pytest.raises(RunError, match="the Dask scheduler has been gone for 5 s") as caught:
            wait_until(lambda: crew.wait(0.2))
        assert "metaopt resume RUN" in str(caught.value)
        assert crew.running == {0}


def test_trials_of_a_killed_driver_end_and_do_not_run_beside_their_successors(outside: Outside, tmp_path: Path) -> None:
    """The driver is another process; its trial would take a minute, and is not waited for."""
    outside.start_worker("--nworkers", "2")
    log = tmp_path / "log.txt"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from metaopt.executors.dask.clusters.settings import load_cluster\n"
        "from metaopt.executors.base import Recipe\n"
        "from metaopt.executors.dask.executor import DaskExecutor\n"
        "from metaopt.testing.executor_contract import trial\n"
        f"crew = DaskExecutor(Recipe('faults:Faults', {{'log': {str(log)!r}, 'sleep_s': 600.0}}), None,"
        f" load_cluster({str(outside.cluster_file())!r}))\n"
        f"while not crew.free: crew.wait(0.1)\n"
        f"crew.submit(trial(0), Path({str(tmp_path / '0')!r}))\n"
        "while True: crew.wait(1.0)\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: starts(log))
    ((_, first),) = starts(log)
    driver.kill()
    driver.wait()
    with crew_of(outside, log, sleep_s=0.1) as crew:
        wait_until(lambda: crew.free)
        crew.submit(trial(0), tmp_path / "0")
        wait_until(lambda: len(starts(log)) == 2)
        assert not psutil.pid_exists(first)
        assert results_of(crew)[0].status == "ok"


def test_a_worker_of_several_threads_is_named_with_the_cure(outside: Outside, tmp_path: Path) -> None:
    with crew_of(outside, tmp_path / "log.txt") as crew:
        outside.start_worker("--nthreads", "4")
        with pytest.raises(RunError, match="it runs 4 tasks at a time: start it with --nthreads 1"):
            wait_until(lambda: crew.wait(0.2) or crew.free)


def test_a_worker_that_cannot_be_prepared_is_named_with_the_reason(outside: Outside, tmp_path: Path) -> None:
    """Its GPUs are claimed in a folder that anybody may write to."""
    claims = tmp_path / "tmp" / f"metaopt-gpus-{os.getuid()}"
    claims.mkdir(parents=True)
    claims.chmod(0o777)
    with crew_of(outside, tmp_path / "log.txt") as crew:
        outside.start_worker(TMPDIR=str(claims.parent), CUDA_VISIBLE_DEVICES="0")
        with pytest.raises(
            RunError, match=r"cannot be prepared: PermissionError: .* is not a folder of this user alone"
        ):
            wait_until(lambda: crew.wait(0.2) or crew.free)


def test_a_worker_of_an_earlier_version_is_not_taken_for_one_of_this(
    outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver was updated since, and the worker, which an earlier run has used, was not started again."""
    outside.start_worker()
    with crew_of(outside, tmp_path / "log.txt") as crew:
        wait_until(lambda: crew.free)
        later = {**environment.environment(), "numpy": "99.0"}
        with monkeypatch.context() as patch:
            patch.setattr(environment, "environment", lambda: later)
            patch.setattr(dask_worker, "environment", lambda: later)
            other = crew_of(outside, tmp_path / "log.txt")
        with other, pytest.raises(RunError, match=r"and the driver 99\.0"):
            wait_until(lambda: other.wait(0.2) or other.free)
        crew.submit(trial(0), tmp_path / "0")
        assert results_of(crew)[0].status == "ok"


def test_two_runs_share_a_worker_and_each_trial_has_it_alone(outside: Outside, tmp_path: Path) -> None:
    outside.start_worker()
    logs = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for log in logs:
        hold_of(log).touch()
    with crew_of(outside, logs[0]) as first, crew_of(outside, logs[1]) as second:
        for name, crew in (("a", first), ("b", second)):
            wait_until(lambda crew=crew: crew.free)
            crew.submit(trial(0), tmp_path / name)
        wait_until(lambda: any(log.exists() for log in logs))
        time.sleep(0.5)  # enough for the other to begin
        assert sum(log.exists() for log in logs) == 1
        for log in logs:
            hold_of(log).unlink()
        assert {results_of(crew)[0].status for crew in (first, second)} == {"ok"}


@contextlib.contextmanager
def trial_under_way(outside: Outside, folder: Path) -> Iterator[DaskExecutor]:
    """Gives a trial that does not end before the file that holds it up is gone."""
    outside.start_worker()
    log = folder / "log.txt"
    hold_of(log).touch()
    with crew_of(outside, log) as crew:
        wait_until(lambda: crew.free)
        crew.submit(trial(0), folder / "0")
        wait_until(lambda: starts(log))
        yield crew


def test_a_connection_that_is_lost_and_comes_back_costs_nothing_but_time(outside: Outside, tmp_path: Path) -> None:
    with trial_under_way(outside, tmp_path) as crew:
        client = crew._client
        client.loop.add_callback(lambda: client.scheduler_comm.comm.abort())
        wait_until(lambda: crew.wait(0.1) or len(starts(tmp_path / "log.txt")) == 2)
        hold_of(tmp_path / "log.txt").unlink()
        assert results_of(crew)[0].status == "ok"
    assert len(starts(tmp_path / "log.txt")) == 2


def test_a_scheduler_that_comes_back_is_told_of_the_run_again(outside: Outside, tmp_path: Path) -> None:
    with trial_under_way(outside, tmp_path) as crew:
        outside.processes[0].kill()
        outside.processes[0].wait()
        outside.start_scheduler(int(outside.address.rpartition(":")[2]))
        hold_of(tmp_path / "log.txt").unlink()
        assert results_of(crew)[0].status == "ok"
