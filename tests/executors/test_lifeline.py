from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.connection import Connection

import psutil
import pytest

from metaopt.executors.lifeline import die_with_parent

CONTEXT = multiprocessing.get_context("spawn")


def child(platform: str, pipe: Connection) -> None:
    sys.platform = platform
    die_with_parent()
    pipe.send(os.getpid())
    time.sleep(120)


def parent(platform: str, pipe: Connection) -> None:
    CONTEXT.Process(target=child, args=(platform, pipe)).start()
    time.sleep(120)


@pytest.mark.parametrize("platform", ["linux", "elsewhere"])
def test_a_process_dies_with_its_killed_parent(platform: str) -> None:
    if platform == "linux" and sys.platform != "linux":
        pytest.skip("the kernel's parent-death signal is Linux's")
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=parent, args=(platform, there))
    process.start()
    assert here.poll(60)
    pid = here.recv()
    assert psutil.pid_exists(pid)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.02)
