"""Begins a run or goes on with one: holds its lock, drives its loop to the end, then confirms what it found."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from metaopt.core.errors import RunError
from metaopt.core.interrupt import Interrupt
from metaopt.core.machine import versions
from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Budget
from metaopt.core.wording import command, shown
from metaopt.executors.base import Executor
from metaopt.executors.process.fork_server import check_temporary_folder
from metaopt.objectives.base import dearest_epochs
from metaopt.runs.config import changed, is_named_now
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import RunHeader, of_journal
from metaopt.runs.journal import JournalRecord, JournalWriter
from metaopt.runs.loop import Run
from metaopt.runs.plan import PlannedRun, plan
from metaopt.runs.progress import Progress, show
from metaopt.runs.record import RunRecord
from metaopt.runs.same_problem import changed_versions, check_same_problem, check_same_run
from metaopt.settings.run import RunSettings
from metaopt.tuners.base import Tuner
from metaopt.tuners.fixed import Fixed

#: Seconds between two lines of progress where a trial takes a millisecond.
_LOOK_UP_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works on a run.

    Attributes:
        executor: Evaluates its trials.
        console: Where to show progress.
        interrupted: Whether to stop early.
        again: The command that goes on with the run.
    """

    executor: Executor
    console: Console
    interrupted: Interrupt
    again: str


def start(run: PlannedRun, folder: RunFolder, command: Sequence[str], console: Console, interrupted: Interrupt) -> str:
    """Makes a run folder and runs in it to the end.

    Returns:
        Why the run ended; empty if it was interrupted.

    Raises:
        RunError: if the folder cannot be made or is in use, or if no worker is left.
    """
    _check_machine(run)
    folder.create()
    console.print(f"run folder: {folder.path}", markup=False, highlight=False, soft_wrap=True)
    with folder.locked():
        return _work(run, folder, folder.begin(run.header(command)), console, interrupted)


def resume(folder: RunFolder, changes: Mapping[str, Any], console: Console, interrupted: Interrupt) -> str:
    """Goes on with a run where its journal ends.

    Args:
        folder: Of the run.
        changes: Settings that results do not depend on: executor, workers.
        console: Where to show progress.
        interrupted: Whether to stop early.

    Returns:
        Why the run ended; empty if it was interrupted again.

    Raises:
        RunError: if there is no run in the folder, or if another driver works on it.
        JournalError: if the journal is damaged elsewhere than in its last line, if it is not of these settings, or if
            what the objective measures is not any more what it was.
    """
    folder.read()
    with folder.locked():
        journal = folder.read()
        record = RunRecord.of(folder, journal)
        if record.torn:
            console.print(f"journal: {record.torn}", markup=False, highlight=False, soft_wrap=True)
        if record.finished:
            return record.end
        with of_journal(folder.journal):
            run = plan(_resumed(folder, record.header, changes), record.header.space)
        _check_machine(run)
        check_same_problem(folder.journal, journal.header, run.objective.describe())
        if note := changed_versions(journal.header, versions()):
            console.print(note, markup=False, highlight=False, soft_wrap=True)
        return _work(run, folder, journal, console, interrupted)


def _resumed(folder: RunFolder, header: RunHeader, changes: Mapping[str, Any]) -> RunSettings:
    """Returns the settings that a run goes on with; the cluster that only its journal names is not trusted.

    Raises:
        RunError: if it ran on a cluster that nobody names now.
        ConfigError: if the changes are out of range.
    """
    made = header.config
    if made.cluster is not None and changes.keys().isdisjoint(("cluster", "executor")):
        if not is_named_now(made.cluster, os.environ):
            raise _of_others(folder, made.cluster)
        changes = {**changes, "cluster": made.cluster}
    return changed(made, changes)


def resume_command(folder: RunFolder, cluster: str | None) -> str:
    """Returns the command that goes on with a run, on the cluster that it is on now."""
    if cluster is None:
        return command("resume", folder.path)
    return command("resume", folder.path, "--cluster", cluster if "://" in cluster else Path(cluster))


def _of_others(folder: RunFolder, cluster: str) -> RunError:
    """Returns the error for a cluster that is named by a journal only: whoever runs a cluster can run code here."""
    return RunError(
        f"{folder.path} says that it runs on the cluster {shown(cluster)}; a run folder may be another's, and whoever "
        "has made that cluster could run code as you",
        f"if it is yours, say so: {resume_command(folder, cluster)}; "
        f"on this machine: {command('resume', folder.path, '--executor', 'dask')}",
    )


def _check_machine(run: PlannedRun) -> None:
    """Checks that evaluations can be started here, where they are to be."""
    if run.objective.needs_process and run.settings.cluster is None:
        check_temporary_folder()


def _work(run: PlannedRun, folder: RunFolder, journal: JournalRecord, console: Console, interrupted: Interrupt) -> str:
    """Tunes, then confirms.

    Returns:
        Why the tuning ended; empty if either was interrupted.
    """
    with run.make_executor() as executor:
        crew = Crew(executor, console, interrupted, resume_command(folder, run.settings.cluster))
        end = tune(run, folder, journal, crew)
        return end if end and confirm(run, RunRecord.read(folder), crew) else ""


def tune(run: PlannedRun, folder: RunFolder, journal: JournalRecord, crew: Crew) -> str:
    """Drives a run until its budget is used up.

    Args:
        run: The run.
        folder: Its folder, which is locked.
        journal: What its journal holds.
        crew: Who works on it.

    Returns:
        Why it ended; empty if it was interrupted.

    Raises:
        EveryTrialFailsError: if it is given up.
        RunError: if no worker is left.
    """
    budget, pause_s = run.settings.limits, 0.0 if run.objective.needs_process else _LOOK_UP_PAUSE_S
    shown = show("tuning", budget, crew.console, default=journal.record.default, pause_s=pause_s)
    return _driven(run, run.make_tuner(), budget, folder, journal, shown, crew)


def confirm(run: PlannedRun, record: RunRecord, crew: Crew) -> bool:
    """Evaluates default and incumbent of a run that has ended again with fresh seeds, as often as it is set to.

    Args:
        run: The run.
        record: What its folder says, which is locked; the searches have a journal of their own in it.
        crew: Who works on it.

    Returns:
        Whether nothing of that is missing now; False if it was interrupted.

    Raises:
        EveryTrialFailsError: if it is given up.
        JournalError: if what is there confirms another run.
        RunError: if no worker is left.
    """
    if (tuner := confirmation(run, record)) is None:
        return True
    place, header = record.folder.confirmation, record.header.content
    begun = record.confirmation.journal if record.confirmation else None
    so_far = begun or place.begin({**header, "confirms": record.folder.path.name})
    check_same_run(place.journal, so_far.header, header)
    budget = Budget(len(tuner.configs) * tuner.repeats)
    shown = show("confirming", budget, crew.console, scores=False)
    return bool(_driven(run, tuner, budget, place, so_far, shown, crew))


def _driven(
    run: PlannedRun, tuner: Tuner, budget: Budget, place: RunFolder, so_far: JournalRecord, shown: Progress, crew: Crew
) -> str:
    with contextlib.closing(JournalWriter(place.journal, so_far)) as journal, shown as monitor:
        return Run(
            *(tuner, crew.executor, journal, so_far, budget, place.trial, monitor, crew.interrupted),
            *(run.settings.stop_after_failures, crew.again, partial(dearest_epochs, run.objective)),
        ).run()


def confirmation(run: PlannedRun, record: RunRecord) -> Fixed | None:
    """Returns the tuner that evaluates default and incumbent again with fresh seeds; None without either.

    An incumbent that is the default is evaluated once per seed, not twice.
    """
    default, incumbent, repeats = record.default, record.incumbent, run.settings.confirm
    if default is None or incumbent is None or not repeats:
        return None
    configs = [default]  # in the order of record.SIDES
    if incumbent.config != default:
        configs.append(dict(incumbent.config))
    seed = seed_integer(run.settings.seed, "confirmation")
    return Fixed(run.objective.space, seed=seed, **run.epochs, configs=configs, repeats=repeats)
