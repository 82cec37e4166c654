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

from metaopt.core.errors import ConfigError, RunError, raise_together
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
from metaopt.runs.record import Confirmation, RunRecord
from metaopt.runs.same_problem import changed_versions, check_same_problem, check_same_run
from metaopt.settings.run import EXTENDABLE, SIMULATED, RunSettings
from metaopt.tuners.base import Problem, Tuner
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


def resume(
    folder: RunFolder,
    changes: Mapping[str, Any],
    console: Console,
    interrupted: Interrupt,
    *,
    budget: Mapping[str, float] | None = None,
    searches: int = 0,
) -> str:
    """Goes on with a run where its journal ends.

    Args:
        folder: Of the run.
        changes: Settings that results do not depend on: executor, workers.
        console: Where to show progress.
        interrupted: Whether to stop early.
        budget: Larger limits by their settings' names, with which a run goes on beyond its end.
        searches: How many of its default and of its incumbent are to confirm its result; 0: as many as before.

    Returns:
        Why the run ended; empty if it was interrupted again.

    Raises:
        ConfigError: if a limit is not larger than it is, or if a setting is out of range.
        RunError: if there is no run in the folder, if another driver works on it, or if there is nothing to confirm.
        JournalError: if the journal is damaged elsewhere than in its last line, if it is not of these settings, or if
            what the objective measures is not any more what it was.
    """
    folder.read()
    with folder.locked():
        journal = folder.read()
        record = RunRecord.of(folder, journal)
        if record.torn:
            console.print(f"journal: {record.torn}", markup=False, highlight=False, soft_wrap=True)
        if searches:
            _check_result(record)
        enough = not searches or (record.confirmation is not None and record.confirmation.searches >= searches)
        if record.finished and enough and not budget:
            return record.end
        budget = _larger(record.header, budget or {})
        if budget and record.confirmation and record.confirmation.searches > record.header.config.confirm:
            budget = {**budget, "confirm": record.confirmation.searches}  # what was added is wanted of any result
        with of_journal(folder.journal):
            settings = _resumed(folder, record.header, {**changes, **budget})
            run = plan(settings, record.header.space)
        _check_machine(run)
        check_same_problem(folder.journal, journal.header, run.objective.describe())
        if note := changed_versions(journal.header, versions()):
            console.print(note, markup=False, highlight=False, soft_wrap=True)
        if budget:
            # First of all: what is confirmed may not be what is recommended in the end.
            folder.set_confirmation_aside()
            journal = _extended(folder, journal, budget)
        return _work(run, folder, journal, console, interrupted, searches)


def _check_result(record: RunRecord) -> None:
    """Checks that a run has a result to confirm.

    Raises:
        RunError: if not.
    """
    path = record.folder.path
    if not record.end:
        raise RunError(f"{path} has not come to its end, so it has no result yet", f"first: {command('resume', path)}")
    if not record.to_confirm:
        lacks = (
            "its cells have no default to compare with" if record.default is None else "none of its trials succeeded"
        )
        raise RunError(f"there is nothing to confirm in {path}: {lacks}", "name a run of metaopt tune")


def _larger(header: RunHeader, budget: Mapping[str, float]) -> Mapping[str, float]:
    """Returns limits that are larger than those that a run has.

    Raises:
        ConfigError: naming those that are not.
    """
    problems, now = [], {name: getattr(header.config, name) for name in EXTENDABLE}
    for name, value in budget.items():
        if now[name] is None or value <= now[name]:
            allowed = "the run has no such limit" if now[name] is None else f"allowed: more than {now[name]:g}"
            has = ", ".join(f"{other} {limit:g}" for other, limit in now.items() if limit and other != "confirm")
            problems.append(ConfigError(f"{name} {value:g} does not extend the run; {allowed}", f"its limits: {has}"))
    raise_together(problems)
    return budget


def _extended(folder: RunFolder, journal: JournalRecord, settings: Mapping[str, float]) -> JournalRecord:
    """Writes into a journal that the run goes on with more, and returns what it holds then."""
    with contextlib.closing(JournalWriter(folder.journal, journal)) as writer:
        writer.extend(journal.elapsed_s, settings)
    return folder.read()


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


def _work(
    run: PlannedRun,
    folder: RunFolder,
    journal: JournalRecord,
    console: Console,
    interrupted: Interrupt,
    searches: int = 0,
) -> str:
    """Tunes, then confirms.

    Returns:
        Why the tuning ended; empty if either was interrupted.
    """
    with run.make_executor() as executor:
        crew = Crew(executor, console, interrupted, resume_command(folder, run.settings.cluster))
        end = tune(run, folder, journal, crew)
        return end if end and confirm(run, RunRecord.read(folder), crew, searches) else ""


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
    shown = show(
        *("tuning", budget, crew.console),
        default=journal.record.default,
        simulated=run.settings.executor == SIMULATED,
        trained=folder.trained if run.objective.needs_process else None,
        pause_s=pause_s,
    )
    return _driven(run, run.make_tuner(), budget, folder, journal, shown, crew)


def confirm(run: PlannedRun, record: RunRecord, crew: Crew, searches: int = 0) -> bool:
    """Evaluates default and incumbent of a run that has ended again with fresh seeds.

    Args:
        run: The run.
        record: What its folder says, which is locked; the searches have a journal of their own in it.
        crew: Who works on it.
        searches: How many of each there are to be, if not as many as the run or its confirmation states, or fewer.

    Returns:
        Whether nothing of that is missing now; False if it was interrupted.

    Raises:
        EveryTrialFailsError: if it is given up.
        JournalError: if what is there confirms another run.
        RunError: if no worker is left.
    """
    configs, place = record.to_confirm, record.folder.confirmation
    if not configs or (so_far := _begun(record, max(searches, run.settings.confirm))) is None:
        return True
    tuner = Fixed(
        Problem(run.objective.space, seed_integer(run.settings.seed, "confirmation"), **run.epochs),
        configs=configs,
        repeats=Confirmation(so_far).searches,
    )
    budget = Budget(len(configs) * tuner.repeats)
    shown = show("confirming", budget, crew.console, scores=False, trained=place.trained)
    return bool(_driven(run, tuner, budget, place, so_far, shown, crew))


def _begun(record: RunRecord, searches: int) -> JournalRecord | None:
    """Begins a confirmation or goes on with one; what confirms another result is set aside, not lost.

    Returns:
        What its journal holds; None if there is none and no search is wanted.

    Raises:
        JournalError: if what is there confirms another run.
    """
    folder, header, configs = record.folder, record.header.content, record.to_confirm
    place = folder.confirmation
    if not place.begun:
        aside = next((one for one in folder.set_aside if one.begun and Confirmation(one.read()).is_of(configs)), None)
        if aside is not None:
            folder.take_confirmation_back(aside)
    if place.begun:
        so_far = place.read()
        check_same_run(place.journal, so_far.header, header)
        found = Confirmation(so_far)
        if found.is_of(configs):
            return so_far if found.searches >= searches else _extended(place, so_far, {"confirm": searches})
        folder.set_confirmation_aside()
    if not searches:
        return None
    wanted = {**record.header.settings, "confirm": searches}
    return place.begin({**header, "run": wanted, "confirms": folder.path.name})


def _driven(
    run: PlannedRun, tuner: Tuner, budget: Budget, place: RunFolder, so_far: JournalRecord, shown: Progress, crew: Crew
) -> str:
    with contextlib.closing(JournalWriter(place.journal, so_far)) as journal, shown as monitor:
        return Run(
            *(tuner, crew.executor, journal, so_far, budget, place.trial, monitor, crew.interrupted),
            *(run.settings.stop_after_failures, crew.again, partial(dearest_epochs, run.objective)),
        ).run()
