"""The folder of a run: its journal, its trials, its confirmation, and the lock of its one driver."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaopt.core.errors import RunError
from metaopt.core.file_lock import holder, holding
from metaopt.core.paths import TRAJECTORY
from metaopt.core.system_errors import explaining
from metaopt.core.wording import command
from metaopt.runs.journal import JournalRecord, JournalWriter, Story, read
from metaopt.runs.journal_lines import has_line

_JOURNAL, LOCK = "journal.jsonl", "driver.lock"
_ASIDE = "confirm-"
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

    def set_confirmation_aside(self) -> None:
        """Moves the confirmation away, since a run that goes on may come to another result.

        Raises:
            RunError: if it cannot be moved.
        """
        if self.confirmation.begun:
            with explaining(f"cannot move {self.confirmation.path}"):
                self.confirmation.path.rename(self.path / f"{_ASIDE}{1 + max(self._numbers, default=0)}")

    def take_confirmation_back(self, aside: RunFolder) -> None:
        """Moves a confirmation that was set aside back to its place, where none has begun.

        Raises:
            RunError: if it cannot be moved.
        """
        with explaining(f"cannot move {aside.path}"):
            if self.confirmation.path.exists():
                shutil.rmtree(self.confirmation.path)  # what a kill left of one that had no line yet
            aside.path.rename(self.confirmation.path)

    @property
    def set_aside(self) -> list[RunFolder]:
        """The folders of confirmations that were set aside, the last one first."""
        return [RunFolder(self.path / f"{_ASIDE}{number}") for number in sorted(self._numbers, reverse=True)]

    @property
    def _numbers(self) -> list[int]:
        words = [path.name.removeprefix(_ASIDE) for path in self.path.glob(f"{_ASIDE}*")]
        return [int(word) for word in words if word.isdecimal() and word.isascii()]

    @property
    def report(self) -> Path:
        """Where the report of this run goes."""
        return self.path / "report"

    def trial(self, trial_id: int) -> Path:
        """Returns the folder of a trial."""
        return self.path / "trials" / f"{trial_id:05d}"

    def trained(self, trial_id: int) -> int:
        """Returns how many epochs a running search has trained so far, as its file says; 0 where there is none."""
        try:
            return len(json.loads((self.trial(trial_id) / TRAJECTORY).read_bytes())["epoch"])
        except (OSError, ValueError, LookupError, TypeError):
            return 0

    def create(self) -> None:
        """Makes the folder.

        Raises:
            RunError: if it exists and holds anything, or cannot be written.
        """
        hint = "name a folder you may write to, with --folder for tune or --out for compare"
        with explaining(f"cannot make the run folder {self.path}", hint):
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
        self._check_empty()

    def _check_empty(self) -> None:
        """Refuses a folder that holds more than a start that was killed before its first line has left."""
        with explaining(f"cannot read the run folder {self.path}"):
            kept = [entry.name for entry in self.path.iterdir() if not self._is_remains(entry)]
        if _JOURNAL in kept:
            raise RunError(
                f"the run folder {self.path} holds a run",
                f"go on with {command('resume', self.path)}, or name another --folder",
            )
        if kept:
            raise RunError(
                f"the run folder {self.path} is not empty: it holds {', '.join(sorted(kept)[:3])}",
                "name a new folder, with --folder for tune or --out for compare",
            )

    def _is_remains(self, entry: Path) -> bool:
        return entry.name == LOCK or (entry.name == _JOURNAL and entry.is_file() and not has_line(entry))

    def begin(self, header: Mapping[str, Any]) -> JournalRecord:
        """Writes the first line of the journal and returns the journal; to be called under the run's lock.

        Raises:
            RunError: if the folder holds a run or anything else, which may be there since it was made.
        """
        with explaining(f"cannot make the run folder {self.path}"):
            self.path.mkdir(parents=True, exist_ok=True)
        self._check_empty()
        with explaining(f"cannot write the journal {self.journal}"):
            self.journal.unlink(missing_ok=True)
            with contextlib.closing(JournalWriter(self.journal)) as journal:
                journal.header(header)
        return read(self.journal)

    @property
    def begun(self) -> bool:
        """Whether the journal has its first line."""
        return has_line(self.journal)

    def read(self) -> JournalRecord:
        """Reads the journal, also while its driver is writing to it.

        Raises:
            RunError: if this is not the folder of a run.
            JournalError: if the journal is damaged elsewhere than in its last line.
        """
        self.check()
        return read(self.journal)

    def story(self) -> Story:
        """Returns the events of the journal, to be iterated over, for those who need not have all of them at once.

        Raises:
            RunError: if this is not the folder of a run.
        """
        self.check()
        return Story(self.journal)

    def check(self) -> None:
        """Checks that there is a run.

        Raises:
            RunError: if this is not the folder of one.
        """
        with explaining(f"cannot read the run folder {self.path}", _HINT):
            if not self.path.is_dir():
                raise RunError(f"there is no run folder {self.path}", _HINT)
            if not self.journal.is_file():
                raise not_a_run(self.path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run's lock, which the system takes away from a driver that dies.

        Raises:
            RunError: if another driver holds it, says which; or if the folder cannot be written.
        """

        def busy(driver: str) -> RunError:
            return RunError(
                f"another driver works on {self.path}: {driver}",
                f"watch it with {command('status', self.path)}, or stop it first",
            )

        with holding(self.path / LOCK, busy, kept=True):
            yield

    @property
    def driver(self) -> str:
        """The driver that works on this run now, as process and host; empty if there is none."""
        return holder(self.path / LOCK)


def not_a_run(folder: Path) -> RunError:
    """Returns the error for a folder that is none of a run, with what to do about one of a study or of a search."""
    hint = _HINT
    if (folder / "study.yaml").is_file():
        hint = f"this is a study: {command('compare', folder / 'study.yaml', '--no-run')}"
    elif (folder / "search.json").is_file():
        hint = f"this is a search: its page is in {folder / 'report'}"
    return RunError(f"{folder} is not a run folder: it has no {_JOURNAL}", hint)


def new_folder(folder: Path) -> Path:
    """Makes ``folder``, or it with ``-2``, ``-3`` ... behind, and returns it: nobody else has been given it.

    Raises:
        RunError: if it cannot be made.
    """
    number, path = 1, folder
    with explaining(f"cannot make the folder {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                path.mkdir()
                return path
            except FileExistsError:
                number += 1
                path = folder.with_name(f"{folder.name}-{number}")
