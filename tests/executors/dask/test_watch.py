from __future__ import annotations

import logging
from multiprocessing import forkserver
from pathlib import Path

import pytest
from distributed import Worker

from harness import results_of, wait_until
from metaopt.core.errors import RunError
from metaopt.executors.base import Recipe
from metaopt.executors.dask.clusters.settings import load_cluster
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.testing.executor_contract import trial
from outside import Outside


@pytest.mark.slow
def test_a_worker_that_does_not_come_back_is_replaced(tmp_path: Path) -> None:
    with DaskExecutor(Recipe("faults:Faults", {}), 1, replace_after_s=2.0) as crew:
        wait_until(lambda: crew.hosts)
        crew._client.cluster.scale(0)
        wait_until(lambda: not crew.hosts)
        crew.submit(trial(0), tmp_path / "0")
        assert results_of(crew)[0].status == "ok"


def test_without_any_worker_the_run_is_given_up_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DaskExecutor(Recipe("faults:Faults", {}), 1, replace_after_s=0.1, lost_after_s=0.5) as crew:
        crew._client.cluster.scale(0)
        wait_until(lambda: not crew.hosts)
        monkeypatch.setattr(crew._client.cluster, "scale", lambda n: None)
        crew.submit(trial(0), tmp_path / "0")
        with pytest.raises(RunError, match=r"no Dask worker has been alive for 0\.5 s, and 1 trial not done"):
            results_of(crew)


@pytest.mark.slow
def test_a_worker_that_does_not_fit_is_left_out_where_others_fit(
    outside: Outside, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = Recipe("faults:Faults", {})
    with (
        caplog.at_level(logging.WARNING, "metaopt"),
        DaskExecutor(recipe, None, load_cluster(str(outside.cluster_file()))) as crew,
    ):
        outside.start_worker()
        wait_until(lambda: crew.free)
        outside.start_worker(DASK_DISTRIBUTED__WORKER__DAEMON="True")
        wait_until(lambda: "it may not start processes" in caplog.text)
        for number in range(3):
            wait_until(lambda: crew.free)
            crew.submit(trial(number), tmp_path / str(number))
            assert crew.free == 0
            assert results_of(crew)[number].status == "ok"


def barren(dask_worker: Worker) -> None:
    """Lets a worker start no process, as on a machine that has no room for one."""

    def full() -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    forkserver.ensure_running = full


@pytest.mark.slow
def test_a_worker_that_can_start_nothing_costs_no_trial(tmp_path: Path) -> None:
    """It withdraws; the others do its work, and where there is none the run ends and keeps its budget."""
    with DaskExecutor(Recipe("faults:Faults", {"sleep_s": 0.2}), 2) as crew:
        wait_until(lambda: crew.wait(0.1) or len(crew.hosts) == 2)
        addresses = list(crew._client.scheduler_info()["workers"])
        crew._client.run(barren, workers=addresses[:1])
        for number in range(2):
            crew.submit(trial(number), tmp_path / str(number))
        assert {result.status for result in results_of(crew).values()} == {"ok"}
        wait_until(lambda: crew.wait(0.1) or len(crew.hosts) == 1)
        crew._client.run(barren, workers=addresses[1:])
        crew.submit(trial(2), tmp_path / "2")
        with pytest.raises(RunError, match=r"no Dask worker can be used: .*no process can be started"):
            results_of(crew)
