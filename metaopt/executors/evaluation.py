"""Evaluates one trial in this process; whatever the objective does short of killing the process becomes a result."""

from __future__ import annotations

import errno
import functools
import json
import math
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metaopt import memory, registry
from metaopt.executors.base import Task
from metaopt.trial import Result

#: What a system says when there is no room for a file, or no leave to write one: no fault of the trial.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
#: Characters of an exception's message that are kept.
_LONGEST = 2_000


def evaluate(task: Task, clock: Callable[[], float] = time.perf_counter, *, earlier_s: float = 0.0) -> Result:
    """Returns the result of ``task``, crashed with a reason if the objective raises or returns something unusable.

    The full traceback of an exception goes to standard error.

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
        return _checked(objective.evaluate(task.trial, task.folder), task)
    # SystemExit, raised by a library's command line, must cost the trial and not the process that supervises it.
    except BaseException as error:
        if (isinstance(error, OSError) and error.errno in UNWRITABLE) or _is_the_users(error):
            raise
        traceback.print_exc()
        cost_s = earlier_s + clock() - started
        return Result(task.trial.id, "crashed", cost_s=cost_s, reason=reason_of(error, task))


def _is_the_users(error: BaseException) -> bool:
    """Returns whether it is Ctrl-C, and not an exception of the trial's own, which may call itself the same."""
    return isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@functools.lru_cache(maxsize=1)
def _objective(path: str, settings: str) -> Any:
    return registry.load(path)(**json.loads(settings))


def _checked(result: object, task: Task) -> Result:
    if not isinstance(result, Result) or result.trial_id != task.trial.id:
        raise TypeError(f"the objective returned {result!r} instead of a Result of trial {task.trial.id}")
    for name in ("valid_error", "test_error"):
        error = getattr(result, name)
        if error is None and (name == "test_error" or result.status != "ok"):
            continue
        if error is None or not math.isfinite(error) or not 0.0 <= error <= 1.0:
            raise ValueError(f"{name} is {error}, not a number in [0, 1]")
    json.dumps(result.to_json(), allow_nan=False)  # raises on what the journal could not hold
    return result


def reason_of(error: BaseException, task: Task) -> str:
    """Returns type, message and place of an exception on one line; first of all, whether memory has run out."""
    text = " ".join(f"{type(error).__name__}: {_said(error)}".split()).removesuffix(":")
    if memory.ran_out(error):
        text = f"{out_of_memory(task)}: {text}"
    # Not summaries of all frames: of a recursion without end there are a thousand, each with its line of source.
    if (trace := error.__traceback__) is None:
        return text
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{text} ({Path(code.co_filename).name}:{trace.tb_lineno} in {code.co_name})"


def out_of_memory(task: Task) -> str:
    """Returns how the reason of a trial begins whose memory has run out."""
    limit = task.recipe.memory_limit_mb
    return memory.OUT_OF_MEMORY + ("" if limit is None else f", at most {limit} MiB are allowed")


def _said(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST]
    except BaseException as another:  # the trial's own code says it
        return f"(cannot be told: {type(another).__name__})"
