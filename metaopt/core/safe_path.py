"""Keeps the current folder out of what Python imports from: a file ``random.py`` there is data, and no module.

Python looks there first for ``python -m`` and for every process that it starts with ``-c``, such as a fork server.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Environment of every Python process that is started by us.
SAFE = {"PYTHONSAFEPATH": "1"}


@contextmanager
def for_children() -> Iterator[None]:
    """Has all Python processes that are started meanwhile, by whichever library, leave out the current folder."""
    before = {name: os.environ.get(name) for name in SAFE}
    os.environ.update(SAFE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def leave_out_current_folder() -> None:
    """Takes from the path of imports what ``python -m`` has put in front of it, unless metaopt itself is there only.

    A checkout that is nowhere else on the path goes last, where it hides nothing, and first for the processes that
    are started, which take metaopt from the same place then.
    """
    if sys.flags.safe_path or sys.argv[:1] != ["-m"]:
        return
    current = sys.path.pop(0)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if root == os.path.abspath(current) and root not in map(os.path.abspath, sys.path):
        sys.path.append(root)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), root)))


leave_out_current_folder()
