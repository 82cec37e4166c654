"""Supervises the one child process that evaluates a trial: whatever ends it, there is a result.

Files in the folder of a trial: those of :mod:`metaopt.executors.process.trial_files`; ``stderr.txt``, what the
evaluation printed; ``stop``, there if a driver stops the trial; and whatever the objective stores there.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import io
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from metaopt.core import memory
from metaopt.core.errors import RunError
from metaopt.core.harmless import one_line
from metaopt.core.interrupt import SIGNALS
from metaopt.core.trial import Result
from metaopt.executors.base import Task
from metaopt.executors.evaluation import UNWRITABLE, evaluate, out_of_memory, reason_of
from metaopt.executors.process import fork_server
from metaopt.executors.process.parent_watch import die_with_parent
from metaopt.executors.process.trial_files import count_start, store_result, stored_result
from metaopt.objectives.scratch import spent_s

OUTPUT, STOP = "stderr.txt", "stop"

_POLL_S = 0.1
#: Seconds after which a fork server must have told of the end of a process.
_NEWS_S = 5.0
#: How many fork servers may be lost under one trial.
_LOST_SERVERS = 3
_TAIL_LINES = 3
_TAIL_BYTES = 16_384
#: Bytes that a trial may print; of more, only what came last is kept.
_MOST_OUTPUT = 32 * 2**20
#: Bytes of what a child says of its end.
_LONGEST_MESSAGE = 65_536
#: What may be in the way of supervising a trial besides.
_UNWRITABLE_FOLDER = (*UNWRITABLE, errno.EACCES, errno.EPERM)


def run_trial(task: Task, unwanted: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Evaluates a trial to its end and returns its result as plain JSON values.

    Does nothing if the trial's folder holds its result already; ends early once the folder holds a file ``stop``.

    Args:
        task: The trial.
        unwanted: Whether nobody waits for the result any more, so that it may end early, too.

    Raises:
        RunError: if its folder cannot be written, which no other trial could do either; nothing else.
    """
    child: Child | None = None
    try:
        if not task.recipe.needs_process:
            return _evaluate_here(task).to_json()
        child = Child(task)
        while (result := child.wait(_POLL_S)) is None:
            if _is_to_stop(task.folder) or unwanted():
                child.stop()
        return result.to_json()
    except Exception as error:
        return unsupervised(task, error).to_json()
    finally:
        if child is not None:
            child.stop()  # does nothing after a result; else it would go on without supervision


def _is_to_stop(folder: Path) -> bool:
    try:
        return (folder / STOP).exists()
    except OSError:  # a network file system that does not answer just now
        return False


def unsupervised(task: Task, error: BaseException) -> Result:
    """Returns the result of a trial whose supervision has failed.

    Raises:
        RunError: if that says nothing of the trial: the disk is full, or the folder must not be written.
    """
    if isinstance(error, RunError):
        raise error
    if isinstance(error, OSError) and error.errno in _UNWRITABLE_FOLDER:
        raise unwritable(task, error.errno) from error
    return Result(task.trial.id, "crashed", reason=one_line(f"cannot be supervised: {reason_of(error, task)}"))


def unwritable(task: Task, number: int) -> RunError:
    """Returns the error for a trial whose files cannot be written, for the reason of this number."""
    return RunError(
        f"trial {task.trial.id} cannot write to {task.folder}: {os.strerror(number)}",
        "no finished trial is lost: see that it can be written, then go on with metaopt resume",
    )


def _evaluate_here(task: Task) -> Result:
    task.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stderr(io.StringIO()) as output:
        result = evaluate(task)
    if output.getvalue():
        (task.folder / OUTPUT).write_text(output.getvalue(), encoding="utf-8")
    return result


class Child:
    """The process of one trial. It starts at once, unless the trial's folder holds its result already.

    Args:
        task: The trial.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._process: Any = None
        self._channel: Connection | None = None
        self._starts = 0
        self._ending: Result | None = stored_result(task)
        if self._ending is None:
            self._start()

    def _start(self) -> None:
        task = self._task
        task.folder.mkdir(parents=True, exist_ok=True)
        (task.folder / OUTPUT).unlink(missing_ok=True)
        self._restarts = count_start(task)
        self._earlier_s = spent_s(task.folder) if self._restarts else 0.0
        self._started = time.perf_counter()
        self._close_channel()
        self._channel, theirs = fork_server.CONTEXT.Pipe(duplex=False)
        with theirs:
            self._process = fork_server.spawn(task.recipe, _child_main, task, self._restarts, self._earlier_s, theirs)
        self._starts += 1

    def _close_channel(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def wait(self, timeout_s: float) -> Result | None:
        """Returns the result once the process has ended, or None after ``timeout_s`` seconds.

        Raises:
            RunError: if the files of the trial could not be written.
            OSError: if its result cannot be.
        """
        if self._process is None:
            return self._ending
        limit_s = self._task.recipe.time_limit_s
        left_s = timeout_s if limit_s is None else min(timeout_s, max(0.0, limit_s - self._cost_s()))
        self._process.join(left_s)
        if self._process.exitcode is None:
            self._shorten_output()
            if limit_s is None or self._cost_s() < limit_s:
                return None
            self._end("timeout", f"took longer than the time limit of {limit_s:g} s")
        if (
            self._process.exitcode == fork_server.LOST
            and self._starts <= _LOST_SERVERS
            and not (self._ending or stored_result(self._task))
        ):
            self._start()
            return None
        return self._finish()

    def stop(self) -> None:
        """Kills the process, if it still runs; the result is ``stopped`` unless it had one already."""
        if self._process is not None and self._process.exitcode is None:
            self._end("stopped", "stopped by the driver")

    def _end(self, status: Any, reason: str) -> None:
        self._ending = self._without_answer(status, reason)
        if not self._kill_group():  # not yet the leader of its group, or gone
            self._process.kill()
        self._process.join(_NEWS_S)
        if self._process.exitcode is None:  # its server does not tell, since the trial has stopped it, say
            fork_server.kill()
            self._process.join(_NEWS_S)

    def _kill_group(self) -> bool:
        """Kills the process with whatever the evaluation has started itself; returns whether there was any of it."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _shorten_output(self) -> None:
        path = self._task.folder / OUTPUT
        with contextlib.suppress(OSError):
            if path.stat().st_size > _MOST_OUTPUT:
                last = _tail(path)
                path.write_bytes(b"[what came before is left out]\n" + last)  # the trial goes on at its end

    def _finish(self) -> Result:
        """Takes the stored result, or stores the one of a process that left none."""
        self._kill_group()
        said = self._message()
        exit_code, self._process = self._process.exitcode, None
        result = stored_result(self._task) or self._ending
        if result is None and said.get("errno") in UNWRITABLE:
            raise unwritable(self._task, said["errno"])
        if result is None and isinstance(said.get("reason"), str):
            result = self._without_answer("crashed", said["reason"])
        self._ending = result = result or self._crash(exit_code)
        # A stopped trial is evaluated again when its run is resumed.
        if result.status != "stopped":
            store_result(self._task, result)
        return result

    def _message(self) -> dict[str, Any]:
        """Returns what our own code in the process has said of its end; nothing if the trial has ended it."""
        try:
            if self._channel is not None and self._channel.poll():
                said = json.loads(self._channel.recv_bytes(_LONGEST_MESSAGE))
                return said if isinstance(said, dict) else {}
        except (OSError, EOFError, ValueError, RecursionError):  # the trial's own code may write there, too
            pass
        finally:
            self._close_channel()
        return {}

    def _without_answer(self, status: Any, reason: str) -> Result:
        return Result(self._task.trial.id, status, cost_s=self._cost_s(), reason=reason, restarts=self._restarts)

    def _crash(self, exit_code: int) -> Result:
        words = _last_words(self._task.folder / OUTPUT)
        if exit_code == fork_server.LOST:
            ended = f"the process that starts trials was lost {self._starts} times"
        elif exit_code < 0:
            ended = f"killed by signal {-exit_code} ({_signal_name(-exit_code)})"
            if exit_code == -signal.SIGKILL:
                ended += ", which is what the system does when memory runs out"
        else:
            ended = f"its process ended with exit code {exit_code} and without a result"
        if memory.says_out_of_memory(words):
            ended = f"{out_of_memory(self._task)}: {ended}"
        return self._without_answer("crashed", ": ".join(filter(None, (ended, words))))

    def _cost_s(self) -> float:
        return self._earlier_s + time.perf_counter() - self._started


def _last_words(path: Path) -> str:
    """Returns the end of what a process printed; of a fatal error's dump its first lines, where the cause is."""
    with contextlib.suppress(OSError):
        lines = [line.strip() for line in _tail(path).decode(errors="replace").splitlines()]
        lines = [line for line in lines if line]
        fatal = next((n for n, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
        return " | ".join(lines[-_TAIL_LINES:] if fatal is None else lines[fatal : fatal + _TAIL_LINES])
    return ""


def _tail(path: Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
        return file.read(_TAIL_BYTES)


def _signal_name(number: int) -> str:
    return next((known.name for known in signal.Signals if known == number), "one of the real-time signals")


def _child_main(task: Task, restarts: int, earlier_s: float, channel: Connection) -> None:
    os.setsid()
    die_with_parent()
    if fork_server.orphaned():  # before the kernel was asked to watch it; the trial is started again
        os._exit(1)
    # These reach every process of a terminal or a batch job; the driver stops its trials itself.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with open(task.folder / OUTPUT, "ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    faulthandler.enable(all_threads=False)
    _limit(task)
    mine = os.fstat(channel.fileno())
    code = 0
    try:
        store_result(task, replace(evaluate(task, earlier_s=earlier_s), restarts=restarts))
    except BaseException as error:
        _unlimit()  # else there may be no memory to say so
        said = {"errno": getattr(error, "errno", None), "reason": reason_of(error, task)}
        # A trial may have closed what it did not open, and opened something else in its place.
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(channel.fileno()), mine):
                channel.send_bytes(json.dumps(said).encode())
        traceback.print_exc()
        code = 1
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # the result is safe; a library that crashes or hangs while it shuts down costs nothing


def _limit(task: Task) -> None:
    if (memory_mb := task.recipe.memory_limit_mb) is not None:
        # RLIMIT_AS would count what torch only maps; this counts what a process may write to.
        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = memory_mb * 2**20 if most == resource.RLIM_INFINITY else min(memory_mb * 2**20, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(task.recipe.threads)


def _unlimit() -> None:
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
