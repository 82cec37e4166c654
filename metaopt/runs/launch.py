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
from metaopt.runs.journal import JournalWriter, RunRecord
from metaopt.runs.loop import Run
from metaopt.runs.plan import PlannedRun, plan
from metaopt.runs.progress import SCORES, Progress, show
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
        recorded = folder.read()
        if recorded.torn:
            console.print(f"journal: {recorded.torn}", markup=False, highlight=False, soft_wrap=True)
        with of_journal(folder.journal):
            if recorded.end and _is_confirmed(folder, recorded):
                return recorded.end
            run = plan(_resumed(folder, recorded.record, changes), recorded.record.space)
        _check_machine(run)
        check_same_problem(folder.journal, recorded.header, run.objective.describe())
        if note := changed_versions(recorded.header, versions()):
            console.print(note, markup=False, highlight=False, soft_wrap=True)
        return _work(run, folder, recorded, console, interrupted)


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


def _work(run: PlannedRun, folder: RunFolder, recorded: RunRecord, console: Console, interrupted: Interrupt) -> str:
    """Tunes, then confirms.

    Returns:
        Why the tuning ended; empty if either was interrupted.
    """
    with run.make_executor() as executor:
        crew = Crew(executor, console, interrupted, resume_command(folder, run.settings.cluster))
        end = tune(run, folder, recorded, crew)
        return end if end and confirm(run, folder, folder.read(), crew) else ""


def tune(run: PlannedRun, folder: RunFolder, recorded: RunRecord, crew: Crew) -> str:
    """Drives a run until its budget is used up.

    Args:
        run: The run.
        folder: Its folder, which is locked.
        recorded: What its journal holds.
        crew: Who works on it.

    Returns:
        Why it ended; empty if it was interrupted.

    Raises:
        EveryTrialFailsError: if it is given up.
        RunError: if no worker is left.
    """
    budget, pause_s = run.settings.limits, 0.0 if run.objective.needs_process else _LOOK_UP_PAUSE_S
    scores = SCORES if recorded.record.has_default else SCORES[:1]
    shown = show("tuning", budget, crew.console, scores=scores, pause_s=pause_s)
    return _driven(run, run.make_tuner(), budget, folder, recorded, shown, crew)


def confirm(run: PlannedRun, folder: RunFolder, recorded: RunRecord, crew: Crew) -> bool:
    """Evaluates default and incumbent of a run that has ended again with fresh seeds, as often as it is set to.

    Args:
        run: The run.
        folder: Its folder, which is locked; the searches have a journal of their own in it.
        recorded: What its journal holds.
        crew: Who works on it.

    Returns:
        Whether nothing of that is missing now; False if it was interrupted.

    Raises:
        EveryTrialFailsError: if it is given up.
        JournalError: if what is there confirms another run.
        RunError: if no worker is left.
    """
    if (tuner := confirmation(run, recorded)) is None:
        return True
    place = folder.confirmation
    so_far = place.read() if place.begun else place.begin({**recorded.header, "confirms": folder.path.name})
    check_same_run(place.journal, so_far.header, recorded.header)
    budget = Budget(len(tuner.configs) * tuner.repeats)
    shown = show("confirming", budget, crew.console, scores=())
    return bool(_driven(run, tuner, budget, place, so_far, shown, crew))


def _driven(
    run: PlannedRun, tuner: Tuner, budget: Budget, place: RunFolder, so_far: RunRecord, shown: Progress, crew: Crew
) -> str:
    with contextlib.closing(JournalWriter(place.journal, so_far)) as journal, shown as monitor:
        return Run(
            *(tuner, crew.executor, journal, so_far, budget, place.trial, monitor, crew.interrupted),
            *(run.settings.stop_after_failures, crew.again, partial(dearest_epochs, run.objective)),
        ).run()


def _is_confirmed(folder: RunFolder, recorded: RunRecord) -> bool:
    place = folder.confirmation
    header = recorded.record
    wanted = header.config.confirm and header.has_default and recorded.incumbent is not None
    return not wanted or (place.begun and bool(place.read().end))


def confirmation(run: PlannedRun, recorded: RunRecord) -> Fixed | None:
    """Returns the tuner that evaluates default and incumbent again with fresh seeds; None without either.

    An incumbent that is the default is evaluated once per seed, not twice.
    """
    default, incumbent, repeats = run.default, recorded.incumbent, run.settings.confirm
    if default is None or incumbent is None or not repeats:
        return None
    configs = [default]
    if incumbent.config != default:
        configs.append(dict(incumbent.config))
    seed = seed_integer(run.settings.seed, "confirmation")
    return Fixed(run.objective.space, seed=seed, **run.epochs, configs=configs, repeats=repeats)
