"""The operating system's errors as ours: what was to be done, what the system said, and what to do about that."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metaopt.core.errors import MetaoptError, RunError
from metaopt.core.wording import shown

#: What a file system says that knows no locks; of anything else these are errors like any other.
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})
_ADVICE = {
    errno.ENOSPC: "make room there: df -h says how much is left, df -i how many files may still be made",
    errno.EDQUOT: "your quota there is used up: remove files of yours, or take another place",
    errno.EFBIG: "the file system, or the shell by ulimit -f, allows no file of that size: raise the limit",
    errno.EIO: "the device or the network behind it fails: look at dmesg, and take another place meanwhile",
    errno.EROFS: "it is mounted for reading only: mount it otherwise, or take another place",
    errno.EACCES: "see with ls -ld who may do that, there and in the folders above",
    errno.EPERM: "see with ls -ld and lsattr -d who may do that",
    errno.ENAMETOOLONG: "take shorter names: usually at most 255 bytes each, and 4,095 for a whole path",
    errno.EMFILE: "this process may have no more files open: raise ulimit -n",
    errno.ENFILE: "the machine may have no more files open: end what holds them, or raise fs.file-max",
    errno.ELOOP: "a symbolic link there leads back to itself: ls -l shows it; remove it",
    errno.ENOTDIR: "what stands for a folder in that path is a file: check the path",
    errno.EISDIR: "that is a folder, and a file is wanted: name a file",
    errno.ESTALE: "the network file system has lost it: see that it is mounted, then try again",
    errno.ENOENT: "check the path, and that no symbolic link in it leads nowhere",
    errno.ENOMEM: "the machine has no memory left for it: end something else, then try again",
    errno.EEXIST: "name another one, or remove what is there",
    errno.ENOTEMPTY: "name another one, or remove what is there",
    errno.ENXIO: "that is a pipe, a socket or a device, and a file is wanted: name a file",
    errno.ETIMEDOUT: "the network file system does not answer: see that it is mounted, then try again",
}


def explained(error: OSError, what: str, hint: str = "", kind: type[MetaoptError] = RunError) -> MetaoptError:
    """Returns an error of the operating system as one of ours.

    Args:
        error: What the system raised.
        what: What could not be done, with the file: ``cannot write x``.
        hint: What else can be done than what is advised for this kind of error.
        kind: Of the error that is returned.
    """
    return kind(f"{what}: {said(error)}", "; or ".join(filter(None, (_ADVICE.get(error.errno or 0), hint))))


@contextmanager
def explaining(what: str, hint: str = "", kind: type[MetaoptError] = RunError) -> Iterator[None]:
    """Raises the system's errors inside the block as ours, see :func:`explained`."""
    try:
        yield
    except OSError as error:
        raise explained(error, what, hint, kind) from None


def unreadable(
    error: Exception, path: object, flaw: str, hint: str = "", kind: type[MetaoptError] = RunError
) -> MetaoptError:
    """Returns the error for a file that cannot be read, which is the system's fault or that of what is in it.

    Args:
        error: What was raised; one of the system says nothing of the content.
        path: The file.
        flaw: What is wrong with it otherwise.
        hint: What to do about that.
        kind: Of the error that is returned.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return explained(error, f"cannot read {path}", kind=kind)
    lines = str(error).splitlines()
    return kind(f"{path} {flaw}: {lines[0] if lines else type(error).__name__}", hint)


def said(error: OSError) -> str:
    """Returns what the system said; of no room also whether it is files that there may be no more of."""
    if error.errno is None:  # raised by a library, which has words of its own
        return shown(str(error)) if str(error) else type(error).__name__
    text, own = os.strerror(error.errno), error.strerror or ""
    text = text if text in own else own or text  # a library may say it in a sentence of its own
    if error.errno == errno.ENOSPC and isinstance(error.filename, str) and _no_inode(error.filename):
        text += ", as the file system may hold no more files"
    return text


def named(error: OSError) -> str:
    """Returns what could not be done, for :func:`explained`, of errors that nobody expected."""
    file = "" if error.filename is None else f" {shown(os.fsdecode(error.filename))}"
    return f"the operating system refused to go on{' with' if file else ''}{file}"


class NoLocksError(RunError):
    """A file system that knows no locks."""


def no_locks(error: OSError, path: Path) -> MetaoptError:
    """Returns the error for a file that cannot be locked."""
    if error.errno not in _NO_LOCKS:
        return explained(error, f"cannot lock {path}")
    return NoLocksError(
        f"the file system of {path} knows no locks: {said(error)}",
        "two drivers could work on one run there: take a place on another file system, or have it mounted with locks "
        "(docs/clusters.md): NFS without nolock, Lustre with -o flock",
    )


def _no_inode(path: str) -> bool:
    place = os.path.dirname(os.path.abspath(path))
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    return bool(found.f_files) and not found.f_favail
