from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from metaopt.file_lock import try_lock

HOLD = "import os, sys, time; from metaopt.file_lock import try_lock; d = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)"


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
