from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import Client

from faults import hold_of
from harness import results_of, wait_until
from metaopt.core.errors import ConfigError, RunError
from metaopt.executors.base import Recipe, Task
from metaopt.executors.dask import executor as dask_cluster
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.executors.dask.local import ALLOWED_FAILURES
from metaopt.executors.dask.wire import Answer, packed
from metaopt.testing.executor_contract import trial


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


@pytest.fixture
def crew(log: Path) -> Iterator[DaskExecutor]:
    with DaskExecutor(Recipe("faults:Faults", {"log": str(log), "sleep_s": 0.2}), 1, replace_after_s=5.0) as crew:
        yield crew


@pytest.fixture(scope="module")
def inline_crew() -> Iterator[DaskExecutor]:
    """Whose trials run in the process of the worker."""
    with DaskExecutor(Recipe("faults:Inline", {}, needs_process=False), 1) as crew:
        yield crew


def started(log: Path) -> list[int]:
    """Returns the processes of the trials started so far."""
    return [int(line.split()[-1]) for line in log.read_text().splitlines()] if log.exists() else []


def worker_of(pid: int) -> psutil.Process:
    server = psutil.Process(pid).parent()
    assert server is not None
    worker = server.parent()
    assert worker is not None
    return worker


def kill_worker_of(pid: int) -> None:
    """And waits until the trial is dead, too."""
    worker_of(pid).kill()
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_lost_worker_costs_nothing_but_time(crew: DaskExecutor, log: Path, tmp_path: Path) -> None:
    crew.submit(trial(0), tmp_path / "0")
    wait_until(lambda: started(log))
    worker_of(started(log)[0]).kill()
    assert [result.status for result in results_of(crew).values()] == ["ok"]
    assert len(started(log)) == 2


@pytest.mark.slow
def test_a_result_that_is_lost_with_its_worker_before_anybody_asks_is_found_again(
    crew: DaskExecutor, log: Path, tmp_path: Path
) -> None:
    crew.submit(trial(0), tmp_path / "0")
    wait_until(lambda: started(log))
    worker = worker_of(started(log)[0])
    wait_until(crew._futures[0].done)
    worker.kill()
    wait_until(lambda: not crew._futures[0].done())
    assert results_of(crew)[0].status == "ok"
    assert len(started(log)) == 1


@pytest.mark.slow
def test_a_trial_whose_workers_are_always_lost_is_a_crash(crew: DaskExecutor, log: Path, tmp_path: Path) -> None:
    crew.submit(trial(0, "hang"), tmp_path / "0")
    for n in range(ALLOWED_FAILURES + 1):
        wait_until(lambda n=n: crew.wait(0.1) or len(started(log)) > n)
        worker_of(started(log)[n]).kill()
    (result,) = results_of(crew).values()
    assert result.status == "crashed"
    assert result.reason == "its worker was lost 4 times"
    crew.submit(trial(1), tmp_path / "1")
    assert [result.status for result in results_of(crew).values()] == ["ok"]


@pytest.mark.slow
def test_a_trial_that_gets_on_between_may_lose_any_number_of_workers(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is preempted says nothing against its trial, which has a checkpoint further on each time."""
    steps = itertools.count(1)
    monkeypatch.setattr(dask_cluster, "spent_s", lambda folder: float(next(steps)))
    hold_of(log).touch()
    with DaskExecutor(Recipe("faults:Faults", {"log": str(log)}), 1) as crew:
        crew.submit(trial(0), tmp_path / "0")
        for n in range(ALLOWED_FAILURES + 2):
            wait_until(lambda n=n: crew.wait(0.1) or len(started(log)) > n)
            kill_worker_of(started(log)[n])
        hold_of(log).unlink()
        (result,) = results_of(crew).values()
    assert (result.status, result.restarts) == ("ok", ALLOWED_FAILURES + 2)


@pytest.mark.slow
def test_workers_lost_together_count_once_for_each_trial(log: Path, tmp_path: Path) -> None:
    """Each of them hands its trial on to another that is lost, too, and none of these has begun it."""
    workers = ALLOWED_FAILURES + 1
    hold_of(log).touch()
    with DaskExecutor(Recipe("faults:Faults", {"log": str(log)}), workers, replace_after_s=120.0) as crew:
        for number in range(workers):
            crew.submit(trial(number), tmp_path / str(number))
        for _ in range(2):
            wait_until(lambda: crew.wait(0.1) or len(alive(log)) == workers)
            pids = alive(log)
            for worker in [worker_of(pid) for pid in pids]:
                worker.kill()
            wait_until(lambda pids=pids: not any(psutil.pid_exists(pid) for pid in pids))
        hold_of(log).unlink()
        results = results_of(crew).values()
    assert [(result.status, result.reason) for result in results] == [("ok", "")] * workers


def alive(log: Path) -> list[int]:
    """Returns the processes of the trials that run."""
    return [pid for pid in started(log) if psutil.pid_exists(pid)]


def unseen(task: Task) -> str:
    return packed(Answer.UNSEEN, "node7")


class Foreign:
    """A class of a worker's own."""


def fail(task: Task) -> str:
    raise LookupError("bye\x1b[31m" + "x" * 100_000)


GOOD = {"trial_id": 0, "status": "ok", "valid_error": 0.1, "cost_s": 1.0}
ODD_ANSWERS = [
    None, {"result": GOOD}, Foreign(), b"{}", "", "{", "[]", "{}", '{"a": 1, "b": 2}', "[" * 100_000, "1" * 5_000,
    '{"result": NaN}', packed("result", {**GOOD, "trial_id": 1}), packed("result", {**GOOD, "valid_error": -5}),
    packed("result", {**GOOD, "valid_error": "0.1"}), packed("result", {**GOOD, "status": "weird"}),
    packed("result", {**GOOD, "more": 1}), packed("result", 3), packed("error", "x"), packed("error", [1]),
    packed("other", {}), packed("result", {**GOOD, "info": {"a": "x" * 2**25}}),
]  # fmt: skip


def odd(task: Task) -> object:
    return ODD_ANSWERS[round(100 * float(task.trial.config["x"]))]


def test_whatever_a_worker_answers_costs_its_trial_only(
    crew: DaskExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for function, x in ((fail, 0.0), *((odd, n / 100) for n in range(len(ODD_ANSWERS)))):
        monkeypatch.setattr(dask_cluster, "supervise", function)
        crew.submit(trial(0, x=x), tmp_path / "0")
        (result,) = results_of(crew).values()
        assert (result.trial_id, result.status) == (0, "crashed"), x
        assert result.reason.isprintable()
        assert len(result.reason) < 5_000
    monkeypatch.undo()
    crew.submit(trial(0), tmp_path / "1")
    assert results_of(crew)[0].status == "ok"


@pytest.mark.parametrize("deed", ["recursion", "says_nothing", "odd_object", "exit", "interrupts_itself", "leaves"])
def test_whatever_a_trial_raises_in_the_process_of_a_worker_costs_it_alone(
    inline_crew: DaskExecutor, tmp_path: Path, deed: str
) -> None:
    inline_crew.submit(trial(0, deed), tmp_path / "0")
    assert results_of(inline_crew)[0].status == "crashed"
    inline_crew.submit(trial(1), tmp_path / "1")
    assert results_of(inline_crew)[1].status == "ok"


def test_a_worker_that_does_not_see_the_folder_is_named(
    crew: DaskExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "supervise", unseen)
    crew.submit(trial(0), tmp_path / "0")
    with pytest.raises(RunError, match="the worker on node7 does not see"):
        results_of(crew)


def test_a_folder_that_cannot_be_made_is_named(crew: DaskExecutor, tmp_path: Path) -> None:
    (tmp_path / "trials").touch()
    with pytest.raises(RunError, match="cannot make the folder"):
        crew.submit(trial(0), tmp_path / "trials" / "0")
    assert not crew.running


def test_closing_ends_the_trials(log: Path, tmp_path: Path) -> None:
    crew = DaskExecutor(Recipe("faults:Faults", {"log": str(log)}), 1)
    crew.submit(trial(0, "hang"), tmp_path / "0")
    wait_until(lambda: started(log))
    crew.close()
    wait_until(lambda: not psutil.pid_exists(started(log)[0]))


def test_closing_frees_everything_also_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with DaskExecutor(Recipe("faults:Faults", {}), 1) as crew:
        crew.submit(trial(0, "hang"), tmp_path / "0")
        monkeypatch.setattr(Path, "touch", full)
        monkeypatch.setattr(dask_cluster, "_CLOSE_S", 0.5)
        client = crew._client
    assert client.status == "closed"


def test_workers_that_cannot_read_what_they_are_sent_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def foreign(client: Client, plugin: object) -> None:
        raise ModuleNotFoundError("No module named 'metaopt'")

    monkeypatch.setattr(Client, "register_plugin", foreign)
    with pytest.raises(ConfigError, match=r"workers of the cluster cannot be prepared: .*No module named 'metaopt'"):
        DaskExecutor(Recipe("faults:Faults", {}), 1)


def test_the_cluster_listens_on_this_machine_only_and_on_no_fixed_port(crew: DaskExecutor) -> None:
    driver = psutil.Process()
    listening = [
        connection.laddr
        for process in (driver, *driver.children(recursive=True))
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert 8787 not in {address.port for address in listening}
