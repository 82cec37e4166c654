"""The one reading of a run: what its folder says, for ``status``, ``resume``, ``compare``, the terminal and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from metaopt.core.trial import Budget, Result, Trial, Value
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import RunHeader, of_journal
from metaopt.runs.journal import JournalRecord, read_header
from metaopt.runs.status import RunStatus, Tally
from metaopt.settings.run import SIMULATED

Side = Literal["default", "tuned"]
#: Keys of the trials of a confirmation.
SIDES: Mapping[Side, int] = {"default": 0, "tuned": 1}


@dataclass(frozen=True)
class Confirmation:
    """Searches of default and incumbent with fresh seeds.

    Attributes:
        journal: Theirs.
    """

    journal: JournalRecord

    @property
    def finished(self) -> bool:
        """Whether none of them is missing."""
        return bool(self.journal.end)

    @property
    def searches(self) -> int:
        """How many there are to be of each of the two."""
        return int(self.journal.record.settings.get("confirm") or 0)

    def is_of(self, configs: Sequence[Mapping[str, Value]]) -> bool:
        """Returns whether they are of these configurations in turn: all of them, or as many as have begun."""
        trials = self.journal.trials
        if self.finished and len(trials) != self.searches * len(configs):
            return False  # such as one search of the default, which could be the beginning of those of two
        return all(trial.config == configs[trial.id % len(configs)] for trial in trials)

    def results(self, side: Side) -> list[Result]:
        """Returns the answers so far of one of the two, failures included."""
        told = self.journal.results
        return [told[trial.id] for trial in self.journal.trials if trial.key == SIDES[side] and trial.id in told]

    def errors(self, side: Side, kind: Literal["valid_error", "test_error"]) -> list[float]:
        """Returns the errors of one of the two, each in [0, 1], of the searches that have one."""
        return [error for one in self.results(side) if (error := getattr(one, kind)) is not None]


@dataclass(frozen=True)
class RunRecord:
    """What the folder of a run says.

    Attributes:
        folder: The folder.
        header: What its journal states of it, extensions included.
        tally: What its trials and results add up to.
        end: Why the tuning came to its end; empty if it did not yet.
        torn: What was wrong with a half-written last line; empty if it was whole.
        elapsed_s: Seconds of the run so far.
        confirmation: Of its result; None if that is not begun, as while the tuning goes on.
        driver: Which driver works on the run now, as process and host; empty if there is none.
    """

    folder: RunFolder
    header: RunHeader
    tally: Tally
    end: str
    torn: str
    elapsed_s: float
    confirmation: Confirmation | None
    driver: str

    @classmethod
    def read(cls, folder: RunFolder) -> RunRecord:
        """Reads a run, also while its driver is writing to it; its events are counted and not kept.

        Raises:
            RunError: if this is not the folder of a run.
            JournalError: if a journal is damaged elsewhere than in its last line.
        """
        driver, story = folder.driver, folder.story()  # in this order: a driver that ends now has written all
        tally = Tally(RunHeader.of(read_header(folder.journal)).default)
        for event in story:
            tally.take(event.record)
        return cls._of(folder, RunHeader.of(story.header), tally, story.end, story.torn, story.elapsed_s, driver)

    @classmethod
    def of(cls, folder: RunFolder, journal: JournalRecord) -> RunRecord:
        """Returns what a folder says whose journal is read already.

        Raises:
            JournalError: if the journal of its confirmation is damaged elsewhere than in its last line.
        """
        about = journal.record, journal.tally, journal.end, journal.torn, journal.elapsed_s
        record = cls._of(folder, *about, folder.driver)
        vars(record)["journal"] = journal
        return record

    @classmethod
    def _of(
        cls, folder: RunFolder, header: RunHeader, tally: Tally, end: str, torn: str, elapsed_s: float, driver: str
    ) -> RunRecord:
        place = folder.confirmation
        confirmation = Confirmation(place.read()) if end and place.begun else None
        return cls(folder, header, tally, end, torn, elapsed_s, confirmation, driver)

    @cached_property
    def journal(self) -> JournalRecord:
        """Its journal with all events, read when it is first asked for; of a run that goes on it may say more."""
        return self.folder.read()

    @property
    def trials(self) -> list[Trial]:
        """All trials asked for, by ascending id."""
        return self.journal.trials

    @property
    def results(self) -> dict[int, Result]:
        """All results by the id of their trial, in the order they came in."""
        return self.journal.results

    @property
    def default(self) -> Mapping[str, Value] | None:
        """The default configuration; None where there is none, as of cells."""
        return self.header.default

    @property
    def incumbent(self) -> Trial | None:
        """What the run recommends so far; None if no trial has succeeded."""
        return self.tally.found[0] if self.tally.found else None

    @property
    def budget(self) -> Budget:
        """What the tuning may use.

        Raises:
            JournalError: if the header has no settings.
            ConfigError: if they are those of another version.
        """
        with of_journal(self.folder.journal):
            return self.header.config.limits

    @property
    def status(self) -> RunStatus:
        """How the tuning stands.

        Raises:
            MetaoptError: as of :attr:`budget`.
        """
        return self.tally.status(self.budget, self.elapsed_s)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: the tuning has ended, and its result is confirmed as often as it was to be."""
        if self.confirmation is not None:
            return self.confirmation.finished
        return bool(self.end) and not (self.header.settings.get("confirm") and self.to_confirm)

    @property
    def to_confirm(self) -> list[Mapping[str, Value]]:
        """The configurations that a confirmation searches with, in the order of :data:`SIDES`; none without a result.

        An incumbent that is the default is searched with once per seed, not twice.
        """
        if self.default is None or self.incumbent is None:
            return []
        return [self.default] if self.incumbent.config == self.default else [self.default, self.incumbent.config]

    @property
    def state(self) -> Literal["running", "finished", "interrupted"]:
        """In a word."""
        return "running" if self.driver else "finished" if self.finished else "interrupted"

    @property
    def simulated(self) -> bool:
        """Whether its seconds are those of a simulated clock."""
        return bool(self.header.settings.get("executor") == SIMULATED)

    def to_json(self) -> dict[str, Any]:
        """Returns how the run stands as plain JSON values.

        Raises:
            MetaoptError: as of :attr:`budget`.
        """
        budget, confirming = self.budget, self.confirmation and self.confirmation.journal
        return {
            "run": str(self.folder.path),
            "state": self.state,
            "driver": self.driver,
            "end": self.end,
            "torn": "" if self.driver else self.torn,
            "budget": {"evaluations": budget.evaluations, "epochs": budget.epochs, "seconds": budget.seconds},
            "has_default": self.default is not None,
            "tuning": self.status.to_json(),
            "confirming": confirming and confirming.tally.status(Budget(), confirming.elapsed_s).to_json(),
        }
