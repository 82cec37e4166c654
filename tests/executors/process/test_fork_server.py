from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest

from metaopt.executors.base import Recipe
from metaopt.executors.process import fork_server


def test_starting_leaves_the_environment_alone() -> None:
    before = dict(os.environ)
    fork_server.start(Recipe("faults:Faults", {}, threads=3))
    assert dict(os.environ) == before


def test_importing_the_module_changes_no_signal() -> None:
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_IGN


def test_a_server_ignores_the_signal_of_its_group() -> None:
    code = (
        "import signal, metaopt.executors.process.fork_server;"
        " print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)"
    )
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


@pytest.mark.parametrize(("length", "fits"), [(70, True), (74, True), (76, False), (120, False)])
def test_a_path_of_temporary_files_that_leaves_no_room_for_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int, fits: bool
) -> None:
    folder = Path("/tmp") / f"{os.getpid()}".ljust(length - 5, "t")
    folder.mkdir()
    try:
        environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2] / "helpers")}
        code = (
            "from metaopt.executors.process import fork_server; from metaopt.executors.base import Recipe\n"
            "process = fork_server.spawn(Recipe('faults:Faults', {}), print, 1); process.join()"
        )
        said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    finally:
        shutil.rmtree(folder)
    assert (said.returncode == 0) == fits, said.stderr
    assert fits or "set TMPDIR to a shorter path" in said.stderr


def test_the_environment_of_children() -> None:
    environment = fork_server.child_environment(2)
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["PYTHONSAFEPATH"] == "1"


@pytest.mark.parametrize("code", [0, 1, 127, 200, 201, 254, 255])
def test_an_exit_code_is_told_from_a_lost_server(code: int) -> None:
    process = fork_server.spawn(Recipe("faults:Faults", {}), os._exit, code)
    process.join()
    assert process.exitcode == code != fork_server.LOST


def test_a_process_that_is_lost_with_its_server_says_so() -> None:
    process = fork_server.spawn(Recipe("faults:Faults", {}), time.sleep, 60)
    for server in psutil.Process().children():
        if "forkserver" in " ".join(server.cmdline()):
            server.kill()
    process.join(20)
    assert process.exitcode == fork_server.LOST
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):  # what it ran knew nothing of its server
        os.kill(process.pid, signal.SIGKILL)


def test_where_no_process_can_be_started_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(forkserver, "ensure_running", full)
    with pytest.raises(fork_server.CannotStartError, match=r"no process can be started .* temporarily unavailable"):
        fork_server.spawn(Recipe("faults:Faults", {}), time.sleep, 0)
