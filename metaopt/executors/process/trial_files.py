"""Files in the folder of a trial: its result, written atomically, and the number of its starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from metaopt.core.paths import write_atomically
from metaopt.core.records import answered
from metaopt.core.trial import Result
from metaopt.executors.base import Task
from metaopt.objectives import scratch

RESULT, STARTS = "result.json", "starts.json"


def stored_result(task: Task) -> Result | None:
    """Returns the result in the trial's folder, None if there is none or if it belongs to another trial.

    One that breaks the rules of results is a crash of the trial: its own code may have written it.
    """
    content = _read(task, RESULT)
    return answered(task.trial.id, content["result"]) if "result" in content else None


def store_result(task: Task, result: Result) -> None:
    """Stores the result and deletes the files that the evaluation would have resumed from."""
    _write(task, RESULT, {"result": result.to_json()})
    (task.folder / STARTS).unlink(missing_ok=True)
    scratch.discard(task.folder)


def count_start(task: Task) -> int:
    """Counts one more start of the trial and returns how many there were before."""
    earlier = starts_of(task)
    _write(task, STARTS, {"starts": earlier + 1})
    return earlier


def starts_of(task: Task) -> int:
    """Returns how often the trial was started."""
    try:
        return int(_read(task, STARTS)["starts"])
    except (LookupError, TypeError, ValueError):
        return 0


def _read(task: Task, name: str) -> dict[str, Any]:
    """Returns what is in a file of the trial; nothing if it cannot be read or is of another trial."""
    path: Path = task.folder / name
    try:
        content = json.loads(path.read_bytes())
        return content if content["trial"] == task.trial.to_json() else {}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}


def _write(task: Task, name: str, content: dict[str, Any]) -> None:
    text = json.dumps({"trial": task.trial.to_json(), **content}, allow_nan=False)
    task.folder.mkdir(parents=True, exist_ok=True)  # a trial may have deleted it
    write_atomically(task.folder / name, text)
