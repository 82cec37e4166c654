"""Evaluates one trial in this process; whatever the objective does short of killing the process becomes a result."""

from __future__ import annotations

import errno
import functools
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metaopt.core import memory, registry
from metaopt.core.errors import MetaoptError
from metaopt.core.harmless import one_line
from metaopt.core.records import answered
from metaopt.core.trial import Result
from metaopt.executors.base import Task

#: What a system says when there is no room for a file, or no leave to write one: no fault of the trial.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

#: Innermost frames of a traceback that are printed: a recursion without end has a thousand, and takes seconds.
_FRAMES = 30


def evaluate(task: Task, clock: Callable[[], float] = time.perf_counter, *, earlier_s: float = 0.0) -> Result:
    """Returns the result of ``task``, crashed with a reason if the objective raises or returns something unusable.

    The traceback of an exception that does not explain itself, or what is wrong with an answer, goes to standard error.

    Args:
        task: What to evaluate.
        clock: Returns the second it is; says what a crash has cost.
        earlier_s: Seconds of earlier starts that the evaluation goes on from.

    Raises:
        OSError: one of :data:`UNWRITABLE`, which the next trial would meet as well.
    """
    started = clock()
    try:
        objective = _objective(task.recipe.objective, json.dumps(task.recipe.settings))
        answer: object = objective.evaluate(task.trial, task.folder)
    # SystemExit, raised by a library's command line, must cost the trial and not the process that supervises it.
    except BaseException as error:
        if (isinstance(error, OSError) and error.errno in UNWRITABLE) or _is_the_users(error):
            raise
        if not isinstance(error, MetaoptError):  # which explains itself
            traceback.print_exc(limit=-_FRAMES)
        cost_s = earlier_s + clock() - started
        return Result(task.trial.id, "crashed", cost_s=cost_s, reason=reason_of(error, task))
    result = answered(task.trial.id, answer, cost_s=earlier_s + clock() - started)
    if result.status == "crashed":
        print(result.reason, file=sys.stderr)
    return result


def _is_the_users(error: BaseException) -> bool:
    """Returns whether it is Ctrl-C, and not an exception of the trial's own, which may call itself the same."""
    return isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@functools.lru_cache(maxsize=1)
def _objective(path: str, settings: str) -> Any:
    return registry.load(path)(**json.loads(settings))


def reason_of(error: BaseException, task: Task) -> str:
    """Returns type, message and place of an exception on one line; first of all, whether memory has run out."""
    if (shortage := memory.shortage(error)) is not None:
        error = shortage
    text = f"{type(error).__name__}: {_said(error)}".rstrip().removesuffix(":")
    if shortage is not None:
        text = f"{out_of_memory(task)}: {text}"
    # Not summaries of all frames: of a recursion without end there are a thousand, each with its line of source.
    if (trace := error.__traceback__) is None:
        return one_line(text)
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return one_line(f"{text} ({Path(code.co_filename).name}:{trace.tb_lineno} in {code.co_name})")


def out_of_memory(task: Task) -> str:
    """Returns how the reason of a trial begins whose memory has run out."""
    limit = task.recipe.memory_limit_mb
    return memory.OUT_OF_MEMORY + ("" if limit is None else f", at most {limit} MiB are allowed")


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as another:  # the trial's own code says it
        return f"(cannot be told: {type(another).__name__})"
