"""Rendered files to a folder, names that no two of them share, and comparing them with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from metaopt.core.errors import RunError
from metaopt.core.file_lock import holding
from metaopt.core.paths import write_atomically
from metaopt.core.system_errors import explaining
from metaopt.report.document.equality import same

#: Folders beside a page that hold nothing but files of it.
OWN_FOLDERS = ("figures", "tables")

_LOCK = ".metaopt.lock"
#: Seconds that another command may take to write what it has rendered.
_PATIENCE_S = 30.0


class Names:
    """Names that are given once: of files in a folder, or of places on a page."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """Returns ``wanted``, or where it is taken, ``wanted-2`` and so on.

        Letters of either case are one name, because they are on some file systems.
        """
        name, number = wanted, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{wanted}-{number}"
        self._taken.add(name.casefold())
        return name


def write_files(place: Path, files: Mapping[str, bytes]) -> None:
    """Writes files by their path in ``place``, which is created if missing.

    Raises:
        RunError: if it cannot be written to.
    """
    with explaining(f"the report cannot be written to {place}", "name a writable folder with --out"):
        place.mkdir(parents=True, exist_ok=True)
        # What two commands at once write would be pages of one and figures of the other.
        with holding(place / _LOCK, lambda owner: _busy(place, owner), patience_s=_PATIENCE_S, needed=False):
            for name, content in files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                write_atomically(place / name, content)


def _busy(place: Path, owner: str) -> RunError:
    return RunError(f"another command writes to {place}: {owner}", "wait for it, or name another folder with --out")


def differing_files(place: Path, files: Mapping[str, bytes]) -> list[str]:
    """Returns what is not in ``place`` as it should be, in words.

    These are files that are missing or say something else there, see :func:`metaopt.report.document.equality.same`, and
    files in the page's own folders that are not among ``files``: what an earlier report has left there.
    """
    with explaining(f"cannot read what is in {place}"):
        differing = [name for name, data in files.items() if not _is_there(place / name, data)]
    there = (path for folder in OWN_FOLDERS for path in (place / folder).glob("*") if not path.name.startswith("."))
    surplus = sorted(name for path in there if (name := path.relative_to(place).as_posix()) not in files)
    return differing + [f"{name} (left over: remove it)" for name in surplus]


def _is_there(path: Path, data: bytes) -> bool:
    return path.is_file() and same(path.name, path.read_bytes(), data)
