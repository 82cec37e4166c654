"""Where data, tables and runs live: the one place that knows a wheel from a checkout."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

from metaopt.core.errors import REINSTALL, MetaoptError

#: File of a search's epochs in the folder of its trial.
TRAJECTORY = "trajectory.json"

_PACKAGE = Path(str(resources.files("metaopt")))
#: Characters of a file's name that its unfinished one has: of a name that is long already nothing longer is made.
_PARTIAL_NAME = 40


def data_folder(kind: str) -> Path:
    """Returns the folder of shipped data: ``kind`` is ``"spaces"`` or ``"benchmarks"``.

    A wheel carries it inside the package; an editable install finds it at the root of the checkout.

    Raises:
        MetaoptError: if neither place has it.
    """
    packaged = _PACKAGE / "_data" / kind
    checkout = _PACKAGE.parent / kind
    if packaged.is_dir():
        return packaged
    # Without a pyproject.toml beside it, a folder of that name is somebody else's.
    if (_PACKAGE.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    raise MetaoptError(
        f"the shipped {kind} were found neither in {packaged} nor in {checkout}",
        REINSTALL,
    )


def home() -> Path:
    """Returns the folder for what the user builds or imports: ``$METAOPT_HOME``, else the user's cache."""
    given = os.environ.get("METAOPT_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given).expanduser() if given else Path(cache) / "metaopt"


@contextmanager
def replacing(path: Path, *, new: bool = False) -> Iterator[Path]:
    """Gives a file to write beside ``path`` and puts it in its place at the end, unless an exception ends the block.

    A reader, or a kill at any instant, meets the old content or the new, never a part.

    Args:
        path: The file.
        new: Whether there must not be such a file yet, also at the end, when another process may have made it.

    Raises:
        FileExistsError: if ``new`` and there is one; that one is left as it is.
        OSError: if it cannot be written.
    """
    # Not named after the process, since others on the same network file system may have its number.
    partial = path.with_name(f".{path.name[:_PARTIAL_NAME]}.{secrets.token_hex(8)}.part")
    try:
        yield partial
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        if new:
            _put_first(partial, path)
        else:
            os.replace(partial, path)
    except BaseException:
        with suppress(OSError):  # what is in the way of removing it is what is raised
            partial.unlink()
        raise


def _put_first(partial: Path, path: Path) -> None:
    """Renames a file unless the new name is taken; the system checks and renames in one step."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: an empty file takes the name for an instant
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
        os.replace(partial, path)
    else:
        partial.unlink()


def write_atomically(path: Path, content: bytes | str, *, new: bool = False) -> None:
    """Writes a file as :func:`replacing` does."""
    with replacing(path, new=new) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
