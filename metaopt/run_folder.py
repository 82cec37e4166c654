"""The folder of a run: its journal, its trials, its confirmation, and the lock of its one driver."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaopt.errors import RunError
from metaopt.file_lock import try_lock
from metaopt.journal import JournalWriter, Recorded, read
from metaopt.journal_lines import has_line

_JOURNAL, _LOCK = "journal.jsonl", "driver.lock"
_LOCK_PATIENCE_S = 0.5
_HINT = "name a folder that metaopt tune has made"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run keeps everything.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def journal(self) -> Path:
        """The only state of the run."""
        return self.path / _JOURNAL

    @property
    def confirmation(self) -> RunFolder:
        """The folder of the searches that confirm the result; it has no lock of its own."""
        return RunFolder(self.path / "confirm")

    @property
    def report(self) -> Path:
        """Where the report of this run goes."""
        return self.path / "report"

    def trial(self, trial_id: int) -> Path:
        """Returns the folder of a trial."""
        return self.path / "trials" / f"{trial_id:05d}"

    def create(self) -> None:
        """Makes the folder.

        Raises:
            RunError: if it exists and holds anything, or cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
            kept = [entry.name for entry in self.path.iterdir() if not self._is_remains(entry)]
        except OSError as error:
            raise RunError(
                f"cannot make the run folder {self.path}: {error.strerror}",
                "name a folder you may write to, with --run for tune or --out for compare",
            ) from None
        if _JOURNAL in kept:
            raise RunError(
                f"the run folder {self.path} holds a run",
                f"go on with metaopt resume {self.path}, or name another --run",
            )
        if kept:
            raise RunError(
                f"the run folder {self.path} is not empty: it holds {', '.join(sorted(kept)[:3])}",
                "name a new folder, with --run for tune or --out for compare",
            )

    def _is_remains(self, entry: Path) -> bool:
        """Returns whether a start that was killed before its first line has left this."""
        return entry.name == _LOCK or (entry.name == _JOURNAL and entry.is_file() and not has_line(entry))

    def begin(self, header: Mapping[str, Any]) -> Recorded:
        """Writes the first line of the journal and returns the journal."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.journal.unlink(missing_ok=True)
        with contextlib.closing(JournalWriter(self.journal)) as journal:
            journal.header(header)
        return read(self.journal)

    @property
    def begun(self) -> bool:
        """Whether the journal has its first line."""
        return has_line(self.journal)

    def read(self) -> Recorded:
        """Reads the journal, also while its driver is writing to it.

        Raises:
            RunError: if this is not the folder of a run.
            JournalError: if the journal is damaged elsewhere than in its last line.
        """
        if not self.path.is_dir():
            raise RunError(f"there is no run folder {self.path}", _HINT)
        if not self.journal.is_file():
            raise not_a_run(self.path)
        return read(self.journal)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run's lock, which the system takes away from a driver that dies.

        Raises:
            RunError: if another driver holds it, says which; or if the folder cannot be written.
        """
        try:
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise RunError(
                f"cannot write to the run folder {self.path}: {error.strerror}",
                "a driver works only where it may write: see to that, or copy the run folder elsewhere",
            ) from None
        try:
            # Whoever asks for the driver holds the lock for an instant.
            deadline = time.monotonic() + _LOCK_PATIENCE_S
            while not try_lock(descriptor):
                if time.monotonic() > deadline:
                    owner = os.read(descriptor, 200).decode(errors="replace").strip() or "unknown"
                    raise RunError(
                        f"another driver works on {self.path}: {owner}",
                        f"watch it with metaopt status {self.path}, or stop it first",
                    )
                time.sleep(0.02)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    @property
    def driver(self) -> str:
        """The driver that works on this run now, as process and host; empty if there is none."""
        try:
            descriptor = os.open(self.path / _LOCK, os.O_RDONLY)
        except OSError:
            return ""
        try:
            if try_lock(descriptor, shared=True):
                return ""
            return os.read(descriptor, 200).decode(errors="replace").strip()
        finally:
            os.close(descriptor)


def not_a_run(folder: Path) -> RunError:
    """Returns the error for a folder that is none of a run, with what to do about one of a study or of a search."""
    hint = _HINT
    if (folder / "study.yaml").is_file():
        hint = f"this is a study: {shlex.join(['metaopt', 'compare', str(folder / 'study.yaml')])} --no-run"
    elif (folder / "search.json").is_file():
        hint = f"this is a search: its page is in {folder / 'report'}"
    return RunError(f"{folder} is not a run folder: it has no {_JOURNAL}", hint)


def free_name(folder: Path) -> Path:
    """Returns ``folder``, or it with ``-2``, ``-3`` ... behind, so that nothing is there yet."""
    number, path = 1, folder
    while path.exists():
        number += 1
        path = folder.with_name(f"{folder.name}-{number}")
    return path
