from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.connection import Connection

import psutil
import pytest

from harness import HANG_S, wait_until
from metaopt.executors.process.parent_watch import die_with_parent

CONTEXT = multiprocessing.get_context("spawn")


def child(platform: str, pipe: Connection) -> None:
    sys.platform = platform
    die_with_parent()
    pipe.send(os.getpid())
    time.sleep(2 * HANG_S)


def parent(platform: str, pipe: Connection) -> None:
    CONTEXT.Process(target=child, args=(platform, pipe)).start()
    time.sleep(2 * HANG_S)


@pytest.mark.parametrize("platform", ["linux", "elsewhere"])
def test_a_process_dies_with_its_killed_parent(platform: str) -> None:
    if platform == "linux" and sys.platform != "linux":
        pytest.skip("the kernel's parent-death signal is Linux's")
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=parent, args=(platform, there))
    process.start()
    assert here.poll(HANG_S)
    pid = here.recv()
    assert psutil.pid_exists(pid)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    wait_until(lambda: not is_alive(pid), "its end")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
