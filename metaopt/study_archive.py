"""The journals of a study in one compressed file, for studies of hundreds of runs that are kept or passed on."""

from __future__ import annotations

import io
import lzma
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from metaopt.errors import JournalError
from metaopt.paths import replacing
from metaopt.run_folder import RunFolder

ARCHIVE = "journals.tar.xz"
_MEMBER = re.compile(r"[\w.-]*\w[\w.-]*/(confirm/)?journal\.jsonl")


@contextmanager
def journals(out: Path) -> Iterator[Path]:
    """Gives a folder in which every run of a study has its folder with its journals, to read only.

    That is the study's own folder, unless some are in its archive; a run that has a journal outside of it counts by
    that one.

    Raises:
        JournalError: if the archive is damaged or is none.
    """
    archive = out / ARCHIVE
    if not archive.is_file():
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="metaopt-") as place:
        _unpack(archive, Path(place))
        for journal in out.glob("*/journal.jsonl"):
            _prefer(Path(place) / journal.parent.name, journal.parent.resolve())
        yield Path(place)


def pack(out: Path, names: Iterable[str]) -> None:
    """Moves the journals of finished runs into the archive.

    A kill at any instant leaves each of them in the archive, in its folder, or in both.

    Args:
        out: Folder of the study.
        names: The folders of the runs in it.

    Raises:
        JournalError: if there is an archive already, and it is damaged.
    """
    folders = [RunFolder(out / name) for name in names]
    own = [f.journal for folder in folders for f in (folder, folder.confirmation) if f.journal.is_file()]
    with journals(out) as place:
        there = {str(path.relative_to(place)): path for path in place.glob("*/journal.jsonl")}
        there |= {str(path.relative_to(place)): path for path in place.glob("*/confirm/journal.jsonl")}
        wanted = {str(path.relative_to(out)) for path in own} | (_members(out / ARCHIVE) & there.keys())
        with replacing(out / ARCHIVE) as partial, tarfile.open(partial, "w:xz", format=tarfile.USTAR_FORMAT) as archive:
            for name in sorted(wanted):
                _add(archive, name, there[name].read_bytes())
    for journal in own:
        journal.unlink()
    for folder in folders:
        _remove_empty(folder)


def _unpack(archive: Path, place: Path) -> None:
    for name, content in _contents(archive):
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _members(archive: Path) -> set[str]:
    return {name for name, _ in _contents(archive)} if archive.is_file() else set()


def _contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yields the members one by one; whoever made the file, no other names than those of journals."""
    try:
        # All of it at once: a tar ends before its compressed stream does, and a cut there would go unnoticed.
        with tarfile.open(fileobj=io.BytesIO(lzma.decompress(archive.read_bytes()))) as opened:
            for member in opened:
                if not (member.isfile() and _MEMBER.fullmatch(member.name)):
                    raise tarfile.ReadError(f"it holds {member.name!r}")
                file = opened.extractfile(member)
                yield member.name, file.read() if file else b""
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise JournalError(
            f"{archive} is no whole archive of journals: {error}", "take it from where it came"
        ) from None


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Adds a file without a date or an owner, so that the same journals are the same archive."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _prefer(place: Path, folder: Path) -> None:
    if place.exists():
        shutil.rmtree(place)
    place.symlink_to(folder, target_is_directory=True)


def _remove_empty(folder: RunFolder) -> None:
    """Removes the folder of a run that nothing is left in but the lock of its last driver."""
    with suppress(OSError):
        folder.confirmation.path.rmdir()
    if folder.path.is_dir() and {entry.name for entry in folder.path.iterdir()} <= {"driver.lock"}:
        shutil.rmtree(folder.path)
