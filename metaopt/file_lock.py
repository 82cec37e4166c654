"""Locks on files that the system takes away from a process that dies, so that no kill leaves one behind."""

from __future__ import annotations

import fcntl


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Locks an open file for as long as it stays open; returns whether nobody else holds it.

    Args:
        descriptor: Of the file, opened for writing, or for reading if ``shared``.
        shared: Whether others may hold it likewise.

    Raises:
        OSError: if the file system knows no locks.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
