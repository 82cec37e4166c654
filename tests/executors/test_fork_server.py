from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil

from metaopt.executors import fork_server
from metaopt.executors.base import Recipe


def test_starting_leaves_the_environment_alone() -> None:
    before = dict(os.environ)
    fork_server.start(Recipe("faults:Faults", {}, threads=3))
    assert dict(os.environ) == before


def test_importing_the_module_changes_no_signal() -> None:
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_IGN


def test_a_server_ignores_the_signal_of_its_group() -> None:
    code = "import signal, metaopt.executors.fork_server; print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)"
    for mark, ignored in (({fork_server._MARK: "1"}, "True"), ({}, "False")):
        environment = {**os.environ, **mark}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == ignored


def test_a_killed_server_is_replaced() -> None:
    recipe = Recipe("faults:Faults", {})
    fork_server.spawn(recipe, time.sleep, 0).join()
    (server,) = (p for p in psutil.Process().children() if "forkserver" in " ".join(p.cmdline()))
    server.kill()
    process = fork_server.spawn(recipe, time.sleep, 0)
    process.join()
    assert process.exitcode == 0


def test_thread_environment() -> None:
    assert set(fork_server.thread_environment(2).values()) == {"2"}
    assert "OMP_NUM_THREADS" in fork_server.thread_environment(2)
