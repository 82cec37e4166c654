"""Where data, tables and runs live: the one place that knows a wheel from a checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from metaopt.errors import REINSTALL, MetaoptError

_PACKAGE = Path(str(resources.files("metaopt")))


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
def replacing(path: Path) -> Iterator[Path]:
    """Gives a file to write beside ``path`` and puts it in its place at the end, unless an exception ends the block.

    A reader, or a kill at any instant, meets the old content or the new, never a part.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield partial
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes | str) -> None:
    """Writes a file as :func:`replacing` does."""
    with replacing(path) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
