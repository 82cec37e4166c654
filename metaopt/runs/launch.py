"""From settings to a finished run: checks everything, builds the collaborators, runs the study, confirms its result."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from metaopt.core import registry
from metaopt.core.errors import ConfigError, MetaoptError, RunError, raise_together
from metaopt.core.interrupt import Interrupt
from metaopt.core.machine import cores, host, versions
from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Budget, Value
from metaopt.core.wording import command, listed, shown
from metaopt.executors import EXECUTORS
from metaopt.executors.base import Executor, Recipe
from metaopt.executors.dask.clusters.settings import load_cluster
from metaopt.executors.process.fork_server import check_temporary_folder
from metaopt.objectives import OBJECTIVES
from metaopt.objectives.base import Objective, dearest_epochs
from metaopt.runs.config import changed, evaluation_epochs, is_named_now
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import of_journal
from metaopt.runs.journal import JournalWriter, RunRecord
from metaopt.runs.loop import Run
from metaopt.runs.progress import SCORES, Progress, show
from metaopt.runs.same_problem import changed_versions, check_same_problem, check_same_run
from metaopt.settings.run import RunSettings
from metaopt.spaces.space import default_of, space_to_json
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Tuner
from metaopt.tuners.fixed import Fixed
from metaopt.tuners.options import check_options

#: Seconds between two lines of progress where a trial takes a millisecond.
_LOOK_UP_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run whose settings are checked.

    Attributes:
        config: Its settings, the tuner's options complete.
        objective: What is minimised.
        recipe: How any process evaluates a trial.
        tuner: The tuner's class.
        epochs: Smallest and largest budget of an evaluation, as every tuner takes them.
    """

    config: RunSettings
    objective: Objective
    recipe: Recipe
    tuner: type[Tuner]
    epochs: Mapping[str, int]

    @property
    def default(self) -> dict[str, Value] | None:
        """The default configuration; None where there is none, as of cells."""
        return default_of(self.objective.space)

    def make_tuner(self) -> Tuner:
        """Returns a fresh tuner."""
        return self.tuner(self.objective.space, seed=self.config.seed, **self.epochs, **self.config.tuner_options)

    def make_executor(self) -> Executor:
        """Returns the executor, started.

        Raises:
            ConfigError: if there is no such cluster as the settings say.
        """
        kind, cluster = registry.load(EXECUTORS[self.config.executor]), self.config.cluster
        where = () if cluster is None else (load_cluster(cluster),)
        executor: Executor = kind(self.recipe, self.config.workers, *where)
        return executor


def prepare(config: RunSettings, space: str | Mapping[str, Any] | None = None) -> Prepared:
    """Checks what only the parts themselves can check, and builds them.

    Args:
        config: Settings in their ranges.
        space: The hyperparameters, where they are not to be taken from the settings: a resumed run keeps its own.

    Raises:
        MetaoptError: naming everything that does not fit: options, space, benchmark, table, device.
    """
    problems: list[MetaoptError] = []
    kind: type[Tuner] = registry.resolve("tuner", TUNERS, config.tuner)
    try:
        config = replace(config, tuner_options=check_options(kind, config.tuner_options))
    except MetaoptError as error:
        problems.append(error)
    constructor, settings = OBJECTIVES[config.objective], config.objective_settings(space)
    try:
        objective: Objective = registry.load(constructor)(**settings)
    except MetaoptError as error:
        problems.append(error)
    raise_together(problems)
    recipe = Recipe(
        constructor,
        # The space itself and not its file, which may be edited while the run goes on.
        {**settings, **({"space": space_to_json(objective.space)} if "space" in settings else {})},
        objective.needs_process,
        config.time_limit_s,
        config.memory_limit_mb,
    )
    epochs = evaluation_epochs(config, *objective.epochs)
    config = replace(config, min_epochs=epochs["min_epochs"], max_epochs=epochs["max_epochs"])
    prepared = Prepared(config, objective, recipe, kind, epochs)
    tuner = prepared.make_tuner()
    _check_epochs(prepared, tuner.possible_epochs)
    if space is None:  # a resumed run has begun
        _check_first_trial(prepared, tuner)
    _check_clock(config, objective)
    return prepared


def _check_epochs(prepared: Prepared, wanted: Set[int]) -> None:
    """Checks that the objective can evaluate every configuration with every budget that the tuner may ask for.

    Raises:
        ConfigError: if not.
    """
    there = prepared.objective.possible_epochs
    if there is not None and (lacking := wanted - there):
        benchmark = prepared.config.benchmark
        raise ConfigError(
            f"the tuner evaluates after {listed(sorted(lacking), 'epoch')}, and {benchmark} has answers for all cells "
            f"after {', '.join(map(str, sorted(there)))}",
            f"change --min-epochs, --max-epochs or --tuner-option eta=...; metaopt benchmark info {benchmark} says "
            "what is measured and what is predicted",
        )


def _check_first_trial(prepared: Prepared, tuner: Tuner) -> None:
    """Checks that the budget of epochs pays the first trial at its dearest, or the run would end before it begins.

    Raises:
        ConfigError: if not.
    """
    budget, shortest = prepared.config.budget_epochs, min(tuner.possible_epochs)
    dearest = dearest_epochs(prepared.objective, tuner.first, shortest)
    if budget is not None and dearest > budget:
        what = "the tuner's shortest evaluation takes" if dearest == shortest else "the default configuration may train"
        raise ConfigError(
            f"budget_epochs is {budget}, but {what} {dearest} epochs",
            "raise --budget-epochs, or lower --min-epochs and --max-epochs",
        )


def _check_clock(config: RunSettings, objective: Objective) -> None:
    """Checks that the seconds of a run pass if they are limited: without another limit it would go on for ever.

    Raises:
        ConfigError: if the objective does not say how many seconds an evaluation took, whatever else limits the run.
    """
    if config.budget_seconds is not None and not objective.timed:
        raise ConfigError(
            f"budget_seconds is {config.budget_seconds:g}, but what {config.benchmark} answers does not always say how "
            "many seconds the training took",
            "use --budget or --budget-epochs in place of --budget-seconds",
        )


def header(prepared: Prepared, command: Sequence[str]) -> dict[str, Any]:
    """Returns the first line of a run's journal."""
    return {
        "run": prepared.config.to_json(),
        "space": space_to_json(prepared.objective.space),
        "default": prepared.default,
        "objective": prepared.objective.describe(),
        "versions": versions(),
        "host": host(cores()),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(command),
    }


def start(
    prepared: Prepared, folder: RunFolder, command: Sequence[str], console: Console, interrupted: Interrupt
) -> str:
    """Makes a run folder and runs in it to the end.

    Returns:
        Why the run ended; empty if it was interrupted.

    Raises:
        RunError: if the folder cannot be made or is in use, or if no worker is left.
    """
    _check_machine(prepared)
    folder.create()
    console.print(f"run folder: {folder.path}", markup=False, highlight=False, soft_wrap=True)
    with folder.locked():
        return _work(prepared, folder, folder.begin(header(prepared, command)), console, interrupted)


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
        with of_journal(folder.journal):
            record = recorded.record
            made = record.config
            named, made = made.cluster, replace(made, cluster=None)
            if named is not None and changes.keys().isdisjoint(("cluster", "executor")):
                if is_named_now(named, os.environ):
                    changes, named = {**changes, "cluster": named}, None
            else:
                named = None
            prepared = prepare(changed(made, changes), record.space)
        if named is not None and not (recorded.end and _confirmed(prepared, folder, recorded)):
            raise _of_others(folder, named)
        if recorded.torn:
            console.print(f"journal: {recorded.torn}", markup=False, highlight=False, soft_wrap=True)
        if recorded.end and _confirmed(prepared, folder, recorded):
            return recorded.end
        _check_machine(prepared)
        check_same_problem(folder.journal, recorded.header, prepared.objective.describe())
        if note := changed_versions(recorded.header, versions()):
            console.print(note, markup=False, highlight=False, soft_wrap=True)
        return _work(prepared, folder, recorded, console, interrupted)


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


def _check_machine(prepared: Prepared) -> None:
    """Checks that evaluations can be started here, where they are to be."""
    if prepared.objective.needs_process and prepared.config.cluster is None:
        check_temporary_folder()


def _work(prepared: Prepared, folder: RunFolder, recorded: RunRecord, console: Console, interrupted: Interrupt) -> str:
    patience, again = prepared.config.stop_after_failures, resume_command(folder, prepared.config.cluster)
    with prepared.make_executor() as crew:

        def run(shown: Progress, tuner: Tuner, place: RunFolder, so_far: RunRecord) -> str:
            with contextlib.closing(JournalWriter(place.journal, so_far)) as journal, shown as monitor:
                about = journal, so_far, shown.budget, place.trial, monitor, interrupted, patience, again
                return Run(tuner, crew, *about, partial(dearest_epochs, prepared.objective)).run()

        pause_s = 0.0 if prepared.objective.needs_process else _LOOK_UP_PAUSE_S
        scores = SCORES if recorded.record.has_default else SCORES[:1]
        shown = show("tuning", prepared.config.limits, console, scores=scores, pause_s=pause_s)
        end = run(shown, prepared.make_tuner(), folder, recorded)
        if not end or (tuner := confirmation(prepared, folder.read())) is None:
            return end
        place = folder.confirmation
        so_far = place.read() if place.begun else place.begin({**recorded.header, "confirms": folder.path.name})
        check_same_run(place.journal, so_far.header, recorded.header)
        shown = show("confirming", Budget(len(tuner.configs) * tuner.repeats), console, scores=())
        return end if run(shown, tuner, place, so_far) else ""


def _confirmed(prepared: Prepared, folder: RunFolder, recorded: RunRecord) -> bool:
    place = folder.confirmation
    return confirmation(prepared, recorded) is None or (place.begun and bool(place.read().end))


def confirmation(prepared: Prepared, recorded: RunRecord) -> Fixed | None:
    """Returns the tuner that evaluates default and incumbent again with fresh seeds; None without either.

    An incumbent that is the default is evaluated once per seed, not twice.
    """
    default, incumbent, repeats = prepared.default, recorded.incumbent, prepared.config.confirm
    if default is None or incumbent is None or not repeats:
        return None
    configs = [default]
    if incumbent.config != default:
        configs.append(dict(incumbent.config))
    return Fixed(
        prepared.objective.space,
        seed=seed_integer(prepared.config.seed, "confirmation"),
        **prepared.epochs,
        configs=configs,
        repeats=repeats,
    )
