from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from metaopt.core.errors import RunError
from metaopt.core.file_lock import alone_in, holder, holding, try_lock

HOLD = (
    "import os, sys, time; from metaopt.core.file_lock import try_lock;"
    " d = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)"
)


def test_a_lock_is_one_processes_until_it_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{HOLD}; print(try_lock(d), flush=True); time.sleep(60)", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    mine = os.open(path, os.O_RDWR)
    assert not try_lock(mine)
    assert not try_lock(mine, shared=True)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert try_lock(mine)
    os.close(mine)


def test_readers_share_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    first, second, writer = os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY), os.open(path, os.O_RDWR)
    assert try_lock(first, shared=True)
    assert try_lock(second, shared=True)
    assert not try_lock(writer)
    for descriptor in (first, second, writer):
        os.close(descriptor)


def busy(owner: str) -> RunError:
    return RunError(f"{owner} has it")


def test_who_holds_a_lock_is_said_and_the_last_one_removes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder(path) == ""
    me = f"process {os.getpid()} on {os.uname().nodename}"
    with holding(path, busy):
        assert holder(path) == me
        with pytest.raises(RunError, match=f"{me} has it"), holding(path, busy, patience_s=0):
            pass
        with pytest.raises(RunError), holding(path, busy, patience_s=0, shared=True):
            pass
    assert not path.exists()
    with holding(path, busy, kept=True):
        pass
    assert path.exists()
    assert holder(path) == ""


def test_a_shared_lock_keeps_out_who_wants_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holding(path, busy, shared=True):
        with holding(path, busy, shared=True):
            pass
        assert path.exists(), "not the last one"
        with pytest.raises(RunError), holding(path, busy, patience_s=0):
            pass
    assert not path.exists()


TAKE_TURNS = """
import sys, pathlib
from metaopt.core.errors import RunError
from metaopt.core.file_lock import holding
lock, count = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
for _ in range(200):
    with holding(lock, RunError, patience_s=60):
        count.write_text(str(int(count.read_text()) + 1))
"""


def test_no_two_hold_it_although_its_file_comes_and_goes(tmp_path: Path) -> None:
    lock, count = tmp_path / "lock", tmp_path / "count"
    count.write_text("0")
    command = [sys.executable, "-c", TAKE_TURNS, str(lock), str(count)]
    workers = [subprocess.Popen(command) for _ in range(4)]
    assert [worker.wait(100) for worker in workers] == [0] * 4
    assert count.read_text() == "800"
    assert not lock.exists()


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", flock)
    with (
        pytest.raises(RunError, match="knows no locks: Function not implemented") as error,
        holding(tmp_path / "l", busy),
    ):
        pass
    assert "docs/clusters.md" in error.value.hint
    assert holder(tmp_path / "l") == ""


def test_a_link_in_the_place_of_a_lock_empties_nothing(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "lock").symlink_to(precious)
    with pytest.raises(RunError, match="cannot write"), holding(tmp_path / "lock", RunError, kept=True):
        pass
    assert precious.read_text() == "mine"


def test_one_command_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "build"
    with alone_in(folder, "build"):
        with (
            pytest.raises(RunError, match="another metaopt benchmark build works in"),
            alone_in(folder, "benchmark build"),
        ):
            pass
        with alone_in(tmp_path / "other", "build"):
            pass
    assert not list(folder.iterdir())
