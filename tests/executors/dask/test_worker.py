from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import wait_until
from metaopt.core.file_lock import try_lock
from metaopt.executors.base import Recipe, Task
from metaopt.executors.dask import worker as dask_worker
from metaopt.executors.dask.wire import unpacked
from metaopt.executors.dask.worker import supervise
from metaopt.testing.executor_contract import trial


def test_a_folder_that_does_not_appear_is_said_to_be_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_worker, "_APPEARS_S", 0.5)
    task = Task(Recipe("faults:Faults", {}), trial(0), tmp_path / "elsewhere")
    assert unpacked(supervise(task)) == {"unseen": os.uname().nodename}


def test_a_trial_is_supervised_by_one_process_at_a_time(tmp_path: Path) -> None:
    other = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    assert try_lock(other)
    inside = threading.Event()

    def enter() -> None:
        with dask_worker._alone(tmp_path, lambda: False) as alone:
            assert alone
            inside.set()

    waiting = threading.Thread(target=enter)
    waiting.start()
    assert not inside.wait(0.5)
    os.close(other)
    wait_until(inside.is_set)
    waiting.join()


def test_whoever_nobody_waits_for_does_not_wait_either(tmp_path: Path) -> None:
    other = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    assert try_lock(other)
    with dask_worker._alone(tmp_path, lambda: True) as alone:
        assert not alone
    os.close(other)


@pytest.mark.parametrize("error", [RecursionError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_nothing_is_raised_to_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    def fail(task: Task) -> None:
        raise error("deep")

    monkeypatch.setattr(dask_worker, "_supervised", fail)
    answer = unpacked(dask_worker.supervise(Task(Recipe("faults:Faults", {}), trial(3), tmp_path)))["result"]
    assert (answer["trial_id"], answer["status"]) == (3, "crashed")
    assert answer["reason"].startswith(f"cannot be supervised: {error.__name__}: deep")


def test_where_the_lock_finds_no_room_the_run_ends_and_not_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dask_worker, "_Interest", lambda: SimpleNamespace(lost=lambda: False))
    monkeypatch.setattr(dask_worker.os, "open", full)
    answer = unpacked(supervise(Task(Recipe("faults:Faults", {}), trial(0), tmp_path)))
    assert "No space left on device" in answer["error"][0]
