from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import wait_until
from metaopt.errors import RunError
from metaopt.executors import dask_worker
from metaopt.executors.base import Recipe, Task
from metaopt.executors.dask_worker import UNSEEN, supervise
from metaopt.file_lock import try_lock
from metaopt.testing.executor_contract import trial


def test_a_folder_that_does_not_appear_is_said_to_be_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_worker, "_APPEARS_S", 0.5)
    task = Task(Recipe("faults:Faults", {}), trial(0), tmp_path / "elsewhere")
    assert supervise(task) == {UNSEEN: os.uname().nodename}


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


def test_where_the_lock_finds_no_room_the_run_ends_and_not_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dask_worker, "_Interest", lambda: SimpleNamespace(lost=lambda: False))
    monkeypatch.setattr(dask_worker.os, "open", full)
    with pytest.raises(RunError, match=r"cannot write to .*: No space left on device"):
        supervise(Task(Recipe("faults:Faults", {}), trial(0), tmp_path))
