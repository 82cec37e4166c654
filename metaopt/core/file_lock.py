"""Locks on files that the system takes away from a process that dies, so that no kill leaves one behind."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from metaopt.core.errors import MetaoptError, RunError
from metaopt.core.harmless import one_line
from metaopt.core.system_errors import NoLocksError, explained, explaining, no_locks

#: Seconds to wait for whoever holds a lock for an instant, such as one that asks who holds it.
PATIENCE_S = 0.5
_WORK = ".work.lock"
_POLL_S = 0.02
_LONGEST_OWNER = 200


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


@contextmanager
def holding(
    path: Path,
    busy: Callable[[str], MetaoptError],
    *,
    shared: bool = False,
    patience_s: float = PATIENCE_S,
    kept: bool = False,
    needed: bool = True,
) -> Iterator[None]:
    """Holds the lock that a file stands for; its folder must be there.

    Whoever looks at what the lock protects, and then acts on what it saw, does both inside the block.

    Args:
        path: The file, which is made if it is not there. It says who holds it.
        busy: Returns the error for a lock that another process holds, which it is told of as process and host.
        shared: Whether others may hold it at the same time, if they say the same.
        patience_s: Seconds to wait for others.
        kept: Whether the file stays; otherwise the last one removes it.
        needed: Whether to refuse a file system that knows no locks. Where nothing can be lost but time, do without.

    Raises:
        MetaoptError: the error of ``busy``.
        RunError: if the file cannot be made, or cannot be locked.
    """
    deadline = time.monotonic() + patience_s
    try:
        while (descriptor := _locked(path, shared)) is None:
            if time.monotonic() > deadline:
                raise busy(holder(path) or "unknown")
            time.sleep(_POLL_S)
    except NoLocksError:
        if needed:
            raise
        yield
        return
    try:
        with suppress(OSError):  # on a full disk nobody can read who it is, and the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode(), 0)
        yield
    finally:
        # Of those that share it only the last one gets it for itself. Who has opened the file before it is removed
        # sees that it has no name any more, and opens the next one.
        try:
            with suppress(OSError):
                if not kept and try_lock(descriptor):
                    path.unlink()
        finally:
            os.close(descriptor)


@contextmanager
def alone_in(folder: Path, command: str) -> Iterator[None]:
    """Makes a folder, and keeps a second process from working on what is in it.

    Args:
        folder: Where finished pieces of work are kept, which a command that is started again goes on from.
        command: What works there, for the message.

    Raises:
        RunError: if another process works there, or if the folder cannot be made.
    """
    with explaining(f"cannot make the folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)

    def busy(owner: str) -> MetaoptError:
        return RunError(f"another metaopt {command} works in {folder}: {owner}", "wait for it, or stop it first")

    with holding(folder / _WORK, busy, needed=False):
        yield


def holder(path: Path) -> str:
    """Returns who holds the lock that a file stands for, as process and host; empty if nobody does, or could."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if try_lock(descriptor, shared=True):
            return ""
        return one_line(os.pread(descriptor, _LONGEST_OWNER, 0).decode(errors="replace")) or "unknown"
    except OSError:  # where there are no locks, nobody can hold one
        return ""
    finally:
        os.close(descriptor)


def _locked(path: Path, shared: bool) -> int | None:
    """Returns a descriptor of the file, locked; None if another process holds it, or has just removed it."""
    try:
        # Not through a link, which a folder from others may hold: the file is emptied.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise explained(error, f"cannot write {path}") from None
    try:
        if try_lock(descriptor, shared=shared) and _is_at(descriptor, path):
            return descriptor
    except OSError as error:
        os.close(descriptor)
        raise no_locks(error, path) from None
    os.close(descriptor)
    return None


def _is_at(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False
