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
from typing import BinaryIO

from metaopt.errors import JournalError, RunError
from metaopt.paths import replacing
from metaopt.run_folder import RunFolder

ARCHIVE = "journals.tar.xz"

#: Bytes that an archive may unpack to: the journals of ten thousand runs, and no bomb.
MOST_BYTES = 8 * 2**30
#: Bytes of memory to unpack with; what this module writes needs 9 MB, the strongest setting of xz 65.
_MOST_MEMORY = 128 * 2**20
_PIECE = 2**20
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
        RunError: if the journals are too many for an archive.
    """
    folders = [RunFolder(out / name) for name in names]
    own = [f.journal for folder in folders for f in (folder, folder.confirmation) if f.journal.is_file()]
    with journals(out) as place:
        there = {str(path.relative_to(place)): path for path in place.glob("*/journal.jsonl")}
        there |= {str(path.relative_to(place)): path for path in place.glob("*/confirm/journal.jsonl")}
        wanted = {str(path.relative_to(out)) for path in own} | (_members(out / ARCHIVE) & there.keys())
        if (size := sum(there[name].stat().st_size for name in wanted)) > MOST_BYTES:
            raise RunError(
                f"the journals in {out} have {size} bytes; an archive holds at most {MOST_BYTES}",
                "leave out --pack, or split the study",
            )
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
    """Yields the members one by one; whoever made the file, nothing but journals, of names that stay in their folder.

    The headers are read here and not by :class:`tarfile.TarFile`, which follows what a header says of links, holes
    and sizes: plain files are all that is taken.
    """
    seen = set[str]()
    try:
        with open(archive, "rb") as packed:
            unpacked = _Unpacked(packed)
            while (block := unpacked.read(tarfile.BLOCKSIZE)) != bytes(tarfile.BLOCKSIZE):
                member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
                if member.type != tarfile.REGTYPE or not _MEMBER.fullmatch(member.name) or member.name in seen:
                    raise tarfile.ReadError(f"it holds {member.name!r}")
                seen.add(member.name)
                yield member.name, unpacked.read(member.size)
                unpacked.read(-member.size % tarfile.BLOCKSIZE)
            unpacked.finish()
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError) as error:
        raise JournalError(
            f"{archive} is no whole archive of journals: {error}", "take it from where it came"
        ) from None


class _Unpacked:
    """A compressed file, unpacked piece by piece as it is read, and never more of it than is allowed."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
        self._ready, self._total = bytearray(), 0

    def read(self, size: int) -> bytes:
        """Returns so many bytes; raises EOFError where there are fewer."""
        if not 0 <= size <= MOST_BYTES:
            raise tarfile.ReadError(f"it holds a file of {size} bytes")
        while len(self._ready) < size:
            self._ready += self._more()
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def finish(self) -> None:
        """Reads to the end: a tar ends before its compressed stream does, and a cut there would go unnoticed."""
        while not self._unpacker.eof:
            self._more()
        if self._unpacker.unused_data or self._packed.read(1):
            raise tarfile.ReadError("something follows its end")

    def _more(self) -> bytes:
        raw = self._packed.read(_PIECE) if self._unpacker.needs_input else b""
        if self._unpacker.eof or (self._unpacker.needs_input and not raw):
            raise EOFError("it ends too early")
        piece = self._unpacker.decompress(raw, max_length=_PIECE)
        self._total += len(piece)
        if self._total > MOST_BYTES:
            raise tarfile.ReadError(f"it unpacks to more than {MOST_BYTES} bytes")
        return piece


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
