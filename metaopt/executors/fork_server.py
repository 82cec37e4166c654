"""The fork server that trials' processes come from: it has imported torch once, so a child starts in milliseconds.

Python's fork server imports this module first. It is a child of the worker and the parent of the trials' processes;
without :func:`~metaopt.executors.lifeline.die_with_parent` in both, a trial would keep its server, and so itself,
alive after its worker was killed.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import forkserver, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from metaopt.executors.base import Recipe
from metaopt.executors.lifeline import die_with_parent
from metaopt.interrupt import SIGNALS

_MARK = "_METAOPT_FORK_SERVER"
_ATTEMPTS, _PAUSE_S = 3, 0.2
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

#: Exit code of a process whose fork server was killed, and the process with it.
LOST = 255

#: Where trials' processes are started from.
CONTEXT = multiprocessing.get_context("forkserver")


def start(recipe: Recipe) -> None:
    """Starts the fork server of this process in the background, if it does not run yet.

    Call it from a thread that lives as long as the process: on Linux the server dies with the thread that started it.
    """
    CONTEXT.set_forkserver_preload([__name__, recipe.objective.partition(":")[0]])
    # Numerical libraries read these once, when they are loaded, and threads that they start would not survive a fork.
    wanted = thread_environment(recipe.threads) | {_MARK: "1"}
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


def spawn(recipe: Recipe, target: Callable[..., None], *args: Any) -> BaseProcess:
    """Starts a process from the fork server of this one, and the server again if that was killed meanwhile."""
    for attempt in itertools.count(1):
        start(recipe)
        process = CONTEXT.Process(target=target, args=args)
        try:
            process.start()
            break
        except (EOFError, OSError):
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_S)  # until the system has noticed that the server is dead
    return process


def orphaned() -> bool:
    """Returns whether this process has lost the fork server it came from."""
    return _SERVER is not None and os.getppid() != _SERVER


def thread_environment(threads: int) -> dict[str, str]:
    """Returns the environment variables by which numerical libraries take their number of threads."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads))


_SERVER: int | None = None
if os.environ.pop(_MARK, None):  # only in a fork server, not where this module is imported for its functions
    _SERVER = os.getpid()
    die_with_parent()
    # A signal to the whole process group is for the driver, which stops its trials itself.
    for _number in SIGNALS:
        signal.signal(_number, signal.SIG_IGN)
