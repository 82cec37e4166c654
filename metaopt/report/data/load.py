"""From the journals of a run folder to the plain records that every other part of the report works on."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from metaopt.cells.graph import CellGraph
from metaopt.core.errors import CellError, JournalError, RunError
from metaopt.core.harmless import harmless, harmless_json, one_line
from metaopt.core.incumbent import final_errors
from metaopt.core.system_errors import explaining
from metaopt.core.trial import Result, Trial, Value, charged_epochs
from metaopt.core.wording import shown
from metaopt.runs.folder import RunFolder, not_a_run
from metaopt.runs.header import Hyperparameter, RunHeader, of_journal
from metaopt.runs.journal import Event, JournalRecord, read_header
from metaopt.runs.status import Tally


@dataclass(frozen=True)
class Evaluation:
    """A trial with its answer, if it has one.

    Attributes:
        trial: What was asked for.
        asked_s: Seconds of the run when it was asked for.
        result: The answer, None while it is missing.
        told_s: Seconds of the run when the answer came; NaN without one.
        short: Whether it is of a shorter training than those that regret is counted from: a look-up after fewer epochs
            than the table has.
        single: Whether its validation error is that of one of several repeats.
    """

    trial: Trial
    asked_s: float
    result: Result | None = None
    told_s: float = math.nan
    short: bool = False
    single: bool = False

    @property
    def ok(self) -> bool:
        """True if it has a validation error."""
        return self.result is not None and self.result.valid_error is not None

    @property
    def valid_error(self) -> float:
        """In [0, 1]; NaN if there is none."""
        return _number(self.result.valid_error if self.result else None)

    @property
    def test_error(self) -> float:
        """In [0, 1]; NaN if there is none."""
        return _number(self.result.test_error if self.result else None)

    @property
    def final_valid_error(self) -> float:
        """Of the cell after all epochs, mean over its repeats; NaN where the journal does not have it."""
        if (final := final_errors(self.info)) is not None:
            return final[0]
        return math.nan if self.short or self.single else self.valid_error

    @property
    def final_test_error(self) -> float:
        """Likewise."""
        if (final := final_errors(self.info)) is not None:
            return final[1]
        return math.nan if self.short else self.test_error

    @property
    def is_final(self) -> bool:
        """True if it has a validation error, and the journal what its cell is worth after all epochs."""
        return self.ok and not (self.short and final_errors(self.info) is None)

    @property
    def charged_epochs(self) -> int:
        """What it costs of a budget of epochs."""
        return charged_epochs(self.trial, self.result)

    @property
    def info(self) -> Mapping[str, Any]:
        """Further values of the answer; empty without one."""
        return self.result.info if self.result else {}

    @property
    def graph(self) -> CellGraph | None:
        """The cell that was found or looked up; None where none is told of.

        Raises:
            JournalError: if what is told of is no cell.
        """
        key = self.info.get("cell")
        try:
            return CellGraph.from_key(str(key)) if key else None
        except CellError as error:
            what = f"the journal has no cell as that of trial {self.trial.id}: {error.message}"
            raise JournalError(what, "leave this run out") from None

    @property
    def one_shot_error(self) -> float:
        """Validation error of the one-shot model, in [0, 1]; NaN if there is none."""
        return _number(self.info.get("one_shot_error"))


@dataclass(frozen=True)
class RunData:
    """Everything the journals of one run say.

    Attributes:
        name: Name of the run folder.
        header: First line of the journal.
        space: The hyperparameters, in the order of the header.
        evaluations: All trials by id, answered or not.
        told: The answered ones in the order of their answers.
        confirmed: Trials of the confirmation by id; empty if there was none.
        torn: What was wrong with half-written last lines; empty if nothing was.
    """

    name: str
    header: Mapping[str, Any]
    space: tuple[Hyperparameter, ...]
    evaluations: tuple[Evaluation, ...]
    told: tuple[Evaluation, ...]
    confirmed: tuple[Evaluation, ...] = ()
    torn: tuple[str, ...] = ()

    @cached_property
    def tally(self) -> Tally:
        """What its trials and results add up to."""
        tally = Tally(self.header.get("default"))
        for evaluation in self.evaluations:
            tally.take(evaluation.trial)
            if evaluation.result:
                tally.take(evaluation.result)
        return tally

    @property
    def settings(self) -> Mapping[str, Any]:
        """The resolved settings of the run; empty if the header has none."""
        return self.header.get("run") or {}

    @property
    def objective(self) -> Mapping[str, Any]:
        """What the objective said of itself; empty if the header has nothing."""
        return self.header.get("objective") or {}

    @property
    def looks_up(self) -> bool:
        """Whether its trials are cells that a table is asked for, and not searches."""
        return self.objective.get("name") == "table"

    @property
    def has_default(self) -> bool:
        """Whether its space has a default, as of all headers that do not deny it."""
        return self.header.get("default", {}) is not None

    @property
    def starts_at_default(self) -> bool:
        """Whether its first trial is the default of its space, which the tuner did not propose."""
        return bool(self.evaluations and self.default) and dict(self.evaluations[0].trial.config) == dict(self.default)

    @property
    def optimum_valid_error(self) -> float | None:
        """Lowest validation error there is, where it is known."""
        return self.objective.get("optimum_valid_error")

    @property
    def optimum_test_error(self) -> float | None:
        """Lowest test error there is, where it is known."""
        return self.objective.get("optimum_test_error")

    @property
    def floor_test_regret(self) -> float | None:
        """Test regret of the cell with the lowest validation error, which no choice by that can expect to beat."""
        selected, lowest = self.objective.get("selected_test_error"), self.optimum_test_error
        return None if selected is None or lowest is None else selected - lowest

    @property
    def default(self) -> Mapping[str, Value]:
        """The default configuration; empty if the header has none."""
        return self.header.get("default") or {}

    @cached_property
    def ok(self) -> list[Evaluation]:
        """The evaluations with a validation error, in the order of their answers."""
        return [e for e in self.told if e.ok]

    @property
    def cut_short(self) -> int:
        """How many look-ups were of shorter trainings, of cells whose errors after all epochs the journal lacks."""
        return sum(not e.is_final for e in self.ok)

    @property
    def predicted(self) -> int:
        """How many of them a surrogate answered instead of a table."""
        return self.tally.predicted

    @property
    def restarts(self) -> int:
        """How often answered trials had been begun again, which is no failure."""
        return self.tally.restarts

    @property
    def incumbent(self) -> Evaluation | None:
        """The evaluation that the run recommends, see :mod:`metaopt.core.incumbent`; None if none is ok."""
        return None if self.tally.found is None else self.evaluations[self.tally.found[0].id]

    @property
    def default_evaluation(self) -> Evaluation | None:
        """The default's evaluation of the most epochs, the first asked for of equals; None if none is ok."""
        return None if self.tally.default_found is None else self.evaluations[self.tally.default_found[0].id]

    @property
    def is_partial(self) -> bool:
        """Whether the table lacks cells of the cell space, so that answers may be predicted or cells avoided."""
        return "unknown" in (self.objective.get("table") or {})


def load_runs(folders: Sequence[Path]) -> list[RunData]:
    """Reads several runs; folders of one name are told apart by a number.

    Raises:
        RunError: if a folder is missing or is no run folder.
        JournalError: if a journal is damaged elsewhere than in its last line.
    """
    runs: dict[str, RunData] = {}
    for folder in folders:
        run = load_run(folder)
        name = _told_apart(run.name, runs)
        runs[name] = replace(run, name=name)
    return list(runs.values())


def load_run(folder: Path) -> RunData:
    """Reads the journal of a run and, if there is one, that of its confirmation; the run may still go on.

    Raises:
        RunError: if the folder is missing or is no run folder.
        JournalError: if a journal is damaged elsewhere than in its last line.
    """
    run = RunFolder(folder)
    with explaining(f"cannot read the run folder {folder}"):
        if not run.journal.is_file():
            raise _not_a_run(folder)
    recorded = run.read()
    record = RunHeader.of(harmless_json(dict(recorded.header)))
    confirmation = run.confirmation.read() if run.confirmation.begun else None
    evaluations = _evaluations(run, recorded, record)
    order = {trial_id: place for place, trial_id in enumerate(recorded.results)}
    told = sorted((e for e in evaluations if e.result), key=lambda e: order[e.trial.id])
    return RunData(
        name=harmless(folder.resolve().name),
        header=record.content,
        space=record.hyperparameters,
        evaluations=evaluations,
        told=tuple(told),
        confirmed=_evaluations(run.confirmation, confirmation, record) if confirmation else (),
        torn=tuple(r.torn for r in (recorded, confirmation) if r and r.torn),
    )


def heads(folders: Sequence[Path]) -> list[tuple[Path, RunData]]:
    """Returns runs, each with its folder and without its trials; folders of one name are told apart by a number.

    Raises:
        RunError: if a folder is missing or is no run folder.
        JournalError: if a journal has no whole first line.
    """
    runs: list[tuple[Path, RunData]] = []
    for folder in folders:
        with explaining(f"cannot read the run folder {folder}"):
            if not RunFolder(folder).journal.is_file():
                raise _not_a_run(folder)
        name, journal = harmless(folder.resolve().name), RunFolder(folder).journal
        name = _told_apart(name, [head.name for _, head in runs])
        with of_journal(journal):
            record = RunHeader.of(harmless_json(dict(read_header(journal))))
        runs.append((folder, RunData(name, record.content, record.hyperparameters, (), ())))
    return runs


def _told_apart(name: str, taken: Collection[str]) -> str:
    own, number = name, 1
    while own in taken:
        number += 1
        own = f"{name} ({number})"
    return own


def _not_a_run(folder: Path) -> RunError:
    if folder.is_dir():
        return not_a_run(folder)
    beside = [p.parent.name for p in folder.parent.glob("*/journal.jsonl*")]
    near = difflib.get_close_matches(folder.name, beside, n=1)
    guess = f"; did you mean {folder.parent / near[0]}?" if near else ""
    return RunError(f"there is no run folder {folder}{guess}", "name a folder that metaopt tune wrote")


def _evaluations(run: RunFolder, recorded: JournalRecord, record: RunHeader) -> tuple[Evaluation, ...]:
    return tuple(evaluations_of(run, recorded.events, record))


def evaluations_of(run: RunFolder, events: Iterable[Event], record: RunHeader) -> Iterator[Evaluation]:
    """Yields trials by ascending id, each with its answer as soon as that and all before it have come.

    Args:
        run: For messages.
        events: Of its journal.
        record: What the header of the run says.

    Raises:
        JournalError: if a configuration is not of the space that the header states.
    """
    objective, space = record.objective, {one.name: one for one in record.hyperparameters}
    looks_up, single = objective.get("name") == "table", objective.get("errors") == "single"
    last = max((objective.get("table") or {}).get("epochs") or (), default=0) if looks_up else 0
    asked, told = dict[int, tuple[Trial, float]](), dict[int, tuple[Result, float]]()

    def evaluation(trial_id: int) -> Evaluation:
        trial, asked_s = asked.pop(trial_id)
        result, told_s = told.pop(trial_id, (None, math.nan))
        return Evaluation(trial, asked_s, result, told_s, trial.epochs < last, single)

    for event in events:
        if isinstance(event.record, Trial):
            _check_config(run, event.record, space)
            asked[event.record.id] = event.record, event.at_s
            continue
        told[event.record.trial_id] = event.record, event.at_s
        while (first := next(iter(asked), None)) is not None and first in told:
            yield evaluation(first)
    yield from map(evaluation, list(asked))


def _check_config(run: RunFolder, trial: Trial, space: Mapping[str, Hyperparameter]) -> None:
    """Checks that the values of a configuration have their places in the space; others are shown as they are.

    Raises:
        JournalError: if not.
    """
    for name, value in trial.config.items():
        if name in space and not space[name].takes(value):
            raise JournalError(
                f"trial {trial.id} in the journal {run.journal} is not of the space that its header states: "
                f"{one_line(name, 80)} is {shown(value)}, which the space does not allow",
                "restore the journal from a backup if it was edited",
            )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
