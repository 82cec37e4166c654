"""The folder ``scratch`` of a trial: files that a restarted evaluation resumes from, and the seconds spent so far.

Executors know this folder and nothing of what an objective keeps in it; they delete it as soon as there is a result.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

from metaopt.core.paths import write_atomically

SCRATCH, SPENT = "scratch", "spent.json"


def keep(folder: Path, name: str, content: bytes, spent_s: float) -> None:
    """Writes a file that the evaluation resumes from; a kill leaves the old content or the new.

    Args:
        folder: Folder of the trial.
        name: Name of the file.
        content: Its content.
        spent_s: Wall seconds of all starts of the evaluation up to this state.

    Raises:
        OSError: if it cannot be written.
    """
    (folder / SCRATCH).mkdir(exist_ok=True)
    write_atomically(folder / SCRATCH / name, content)
    write_atomically(folder / SCRATCH / SPENT, json.dumps({"spent_s": spent_s}))


def spent_s(folder: Path) -> float:
    """Returns the wall seconds of all starts up to the state that a trial resumes from; 0 if it begins anew."""
    try:
        seconds = float(json.loads((folder / SCRATCH / SPENT).read_bytes())["spent_s"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return 0.0
    return seconds if math.isfinite(seconds) and seconds >= 0.0 else 0.0


def discard(folder: Path) -> None:
    """Deletes the scratch folder of a trial, as far as the system lets it: the result is stored by then."""
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
