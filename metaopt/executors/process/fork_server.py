"""The fork server that trials' processes come from: it has imported torch once, so a child starts in milliseconds.

Python's fork server imports this module first. It is a child of the worker and the parent of the trials' processes;
without :func:`~metaopt.executors.process.parent_watch.die_with_parent` in both, a trial would keep its server, and so
itself, alive after its worker was killed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import platform
import signal
import tempfile
import time
from collections.abc import Callable
from multiprocessing import context, forkserver, popen_forkserver, resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from metaopt.core.errors import RunError
from metaopt.core.interrupt import SIGNALS
from metaopt.core.safe_path import SAFE
from metaopt.executors.base import Recipe
from metaopt.executors.process.parent_watch import die_with_parent

_MARK = "_METAOPT_FORK_SERVER"
#: Variable by which the server learns what is evaluated, see :mod:`metaopt.executors.process.preload`.
PRELOAD = "_METAOPT_PRELOAD"
_LONGEST = 100_000  # characters of a variable; Linux takes 131,071 bytes
#: What multiprocessing calls its sockets below the folder of temporary files, and bytes that Linux takes for all of it.
_SOCKET, _LONGEST_SOCKET = "/pymp-xxxxxxxx/listener-xxxxxxxx", 107
#: Servers that may be killed one after the other while a process waits to be started.
_ATTEMPTS, _PAUSE_S = 10, 0.2
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

#: Exit code of a process whose fork server was killed, and the process with it; no process can end with it by itself.
LOST = 256

#: Where trials' processes are started from.
CONTEXT = multiprocessing.get_context("forkserver")


class CannotStartError(RunError):
    """A machine that starts no process for a trial, and would not for the next."""


class _Popen(popen_forkserver.Popen):
    """Python's own says 255 of a process whose server is lost, as of one that ends with 255."""

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        if self.returncode is None:
            if not wait([self.sentinel], timeout=0 if flag == os.WNOHANG else None):
                return None
            try:
                self.returncode = forkserver.read_signed(self.sentinel)
            except (OSError, EOFError):
                self.returncode = LOST
        return self.returncode


class _Process(context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> _Popen:  # noqa: N802  (multiprocessing's name)
        return _Popen(process_obj)


def start(recipe: Recipe) -> None:
    """Starts the fork server of this process in the background, if it does not run yet.

    Call it from a thread that lives as long as the process: on Linux the server dies with the thread that started it.

    Raises:
        RunError: if its socket has no room where temporary files are.
    """
    check_temporary_folder()
    CONTEXT.set_forkserver_preload([__name__, "metaopt.executors.process.preload"])
    # Numerical libraries read these once, when they are loaded, and threads that they start would not survive a fork.
    wanted = child_environment(recipe.threads) | {_MARK: "1", PRELOAD: _what_to_prepare(recipe)}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    # Blocked for good in the server and in Python's resource tracker, which a signal to the whole process group would
    # end while they start. The tracker's start unblocks what it ignores by itself, so that it comes first.
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def check_temporary_folder() -> None:
    """Checks that the path of a socket in the folder of temporary files is one that the system takes.

    Raises:
        RunError: if it is too long.
    """
    folder = tempfile.gettempdir()
    longest = _LONGEST_SOCKET - len(_SOCKET)
    if len(os.fsencode(folder)) > longest:
        raise RunError(
            f"temporary files are in {folder}, a path of {len(os.fsencode(folder))} bytes; {longest} leave room "
            "for the name of a socket in it, which evaluations are started through",
            "set TMPDIR to a shorter path, such as /tmp",
        )


def spawn(recipe: Recipe, target: Callable[..., None], *args: Any) -> BaseProcess:
    """Starts a process from the fork server of this one, and the server again if that was killed meanwhile.

    Raises:
        CannotStartError: if that does not help, which says nothing of the trial.
    """
    for attempt in itertools.count(1):
        process = _Process(target=target, args=args)
        try:
            start(recipe)
            process.start()
            break
        except (EOFError, OSError) as error:
            if attempt == _ATTEMPTS:
                raise CannotStartError(
                    f"no process can be started for a trial on {platform.node()}: {type(error).__name__}: {error}",
                    "see that there is memory, and that this user may start processes and open files (ulimit -a), "
                    "then go on with metaopt resume",
                ) from None
            time.sleep(_PAUSE_S)  # until the system has noticed that the server is dead
    return process


def _what_to_prepare(recipe: Recipe) -> str:
    """Returns the objective and its settings as JSON; empty where they are too long to be handed over."""
    text = json.dumps([recipe.objective, dict(recipe.settings)])
    return text if len(text) <= _LONGEST else ""


def kill() -> None:
    """Kills the fork server of this process, if there is one; the next process starts another."""
    server: int | None = getattr(forkserver._forkserver, "_forkserver_pid", None)
    if server is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)


def orphaned() -> bool:
    """Returns whether this process has lost the fork server it came from."""
    return _SERVER is not None and os.getppid() != _SERVER


def child_environment(threads: int) -> dict[str, str]:
    """Returns the environment variables of processes that run trials: threads of numerical libraries, safe imports."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads)) | SAFE


_SERVER: int | None = None
if os.environ.pop(_MARK, None):  # only in a fork server, not where this module is imported for its functions
    _SERVER = os.getpid()
    die_with_parent()
    # A signal to the whole process group is for the driver, which stops its trials itself.
    for _number in SIGNALS:
        signal.signal(_number, signal.SIG_IGN)
