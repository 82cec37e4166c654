"""What the fork server does once, so that no trial's process has to: imports, and what the objective can prepare.

The server imports this module, which then reads from its environment what is evaluated. An objective's class may have
a class method ``preload`` that takes the objective's settings. It must not start a thread or use a GPU, of which a
forked process has nothing; so it is no place for PyTorch's arithmetic.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os

from metaopt.core import registry
from metaopt.executors.process import (
    child,  # noqa: F401  (what a trial's process runs)
    fork_server,
)


def prepare(objective: str, settings: dict[str, object]) -> None:
    """Loads an objective's class and has it prepare this process; what fails here, a trial meets again, and reports.

    Args:
        objective: ``"module:attribute"`` of the class.
        settings: Keyword arguments of the objective.
    """
    with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
        kind = registry.load(objective)
        if hasattr(kind, "preload"):
            kind.preload(**settings)


if _recipe := os.environ.pop(fork_server.PRELOAD, None):  # only in a fork server
    prepare(*json.loads(_recipe))
    # A child's collector would visit all of it, and have every page copied.
    gc.collect()
    gc.freeze()
