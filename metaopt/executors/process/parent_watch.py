"""Ties the life of a process to that of its parent, so that killing a driver or a worker leaves no orphan."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Makes this process die when the thread that started it, or on other systems than Linux its process, is gone.

    On Linux the kernel sends SIGKILL, which also ends a process that hangs in C code. Elsewhere a thread watches.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_exit_with_parent, daemon=True).start()
    parent = multiprocessing.parent_process()
    # The parent may have gone before the kernel was asked to watch it.
    if parent is not None and not parent.is_alive():
        os._exit(1)


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
