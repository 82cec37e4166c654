"""Evaluates one trial in this process; whatever the objective does short of killing the process becomes a result."""

from __future__ import annotations

import errno
import functools
import json
import math
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metaopt import registry
from metaopt.executors.base import Task
from metaopt.trial import Result

#: What a system says when there is no room for a file, or no leave to write one: no fault of the trial.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


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
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            raise
        traceback.print_exc()
        cost_s = earlier_s + clock() - started
        return Result(task.trial.id, "crashed", cost_s=cost_s, reason=_reason(error))


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


def _reason(error: BaseException) -> str:
    """Returns type, message and place of an exception on one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    if not (frames := traceback.extract_tb(error.__traceback__)):
        return text
    return f"{text} ({Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name})"
