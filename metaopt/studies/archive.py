"""The journals of a study in one compressed file, for studies of hundreds of runs that are kept or passed on."""

from __future__ import annotations

import io
import lzma
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from metaopt.core.errors import JournalError, RunError
from metaopt.core.file_lock import holding
from metaopt.core.paths import replacing
from metaopt.core.system_errors import explaining
from metaopt.runs.folder import LOCK as DRIVER_LOCK
from metaopt.runs.folder import RunFolder

ARCHIVE, LOCK = "journals.tar.xz", "study.lock"

#: Seconds to wait for who packs a study, or is about to be through with it.
PATIENCE_S = 30.0

#: Bytes that an archive may unpack to: the journals of ten thousand runs, and no bomb.
MOST_BYTES = 8 * 2**30
#: Bytes of memory to unpack with; what this module writes needs 9 MB, the strongest setting of xz 65.
_MOST_MEMORY = 128 * 2**20
_PIECE = 2**20
_MEMBER = re.compile(r"[\w.-]*\w[\w.-]*/(confirm/)?journal\.jsonl")


@contextmanager
def in_use(out: Path) -> Iterator[None]:
    """Keeps the journals of a study where they are for as long as the block reads them, and begins or ends runs.

    Any number of processes may do that at a time, and none packs meanwhile.

    Raises:
        RunError: if another process packs the study just now.
    """
    # Who may not write there begins no run, and a page of what is just being packed is only written again.
    if not os.access(out, os.W_OK | os.X_OK):
        yield
        return
    with holding(out / LOCK, lambda owner: _busy(out, owner), shared=True, patience_s=PATIENCE_S, needed=False):
        yield


def _busy(out: Path, owner: str) -> RunError:
    return RunError(
        f"another metaopt compare works on the study in {out}: {owner}",
        "no journal is lost: say the same again once that one has come to its end",
    )


@contextmanager
def journals(out: Path) -> Iterator[Path]:
    """Gives a folder in which every run of a study has its folder with its journals, to read only.

    That is the study's own folder, unless some are in its archive; a run that has a journal outside of it counts by
    that one.

    Raises:
        JournalError: if the archive is damaged or not an archive.
        RunError: if there is no room to unpack it.
    """
    archive = out / ARCHIVE
    with explaining(f"cannot read {archive}", kind=JournalError):
        is_packed = archive.is_file()
    if not is_packed:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="metaopt-") as place:
        with explaining(f"cannot unpack {archive} to {place}", "set TMPDIR to a folder with more room"):
            _unpack(archive, Path(place))
            for journal in out.glob("*/journal.jsonl"):
                _prefer(Path(place) / journal.parent.name, journal.parent.resolve())
        yield Path(place)


def pack(out: Path, names: Iterable[str]) -> None:
    """Moves the journals of finished runs into the archive.

    A kill at any instant leaves each of them in the archive, in its folder, or in both. What is looked at and what is
    then removed is under the study's lock, and under that of each run.

    Args:
        out: Folder of the study.
        names: The folders of the runs in it.

    Raises:
        JournalError: if there is an archive already, and it is damaged.
        RunError: if the journals are too many for an archive, if it cannot be written, or if another process works on
            the study.
    """
    folders = [RunFolder(out / name) for name in names]
    hint = "no journal is lost: go on without --pack meanwhile"
    with (
        holding(out / LOCK, lambda owner: _busy(out, owner), patience_s=PATIENCE_S),
        explaining(f"cannot pack the journals in {out}", hint),
    ):
        own = {f.journal: _state(f.journal) for run in folders for f in (run, run.confirmation) if f.journal.is_file()}
        _write_archive(out, own)
        for folder in folders:
            if folder.path.is_dir():
                with suppress(RunError), folder.locked():  # a run that somebody goes on with counts by its own journal
                    _remove_packed(folder, own)


def _write_archive(out: Path, own: Iterable[Path]) -> None:
    """Writes the archive anew, with what it holds already and these journals."""
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


def _state(path: Path) -> tuple[int, int, int]:
    """Returns what changes with a file."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _remove_packed(folder: RunFolder, packed: Mapping[Path, tuple[int, int, int]]) -> None:
    """Removes the journals of a run that are as they were packed, and its folder if then nothing is left in it."""
    for journal in (folder.confirmation.journal, folder.journal):
        if journal in packed and journal.is_file() and _state(journal) == packed[journal]:
            journal.unlink()
    with suppress(OSError):
        folder.confirmation.path.rmdir()
    if {entry.name for entry in folder.path.iterdir()} <= {DRIVER_LOCK}:
        (folder.path / DRIVER_LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # another process has made something in it
            folder.path.rmdir()


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
