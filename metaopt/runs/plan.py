"""From settings to a run that can begin: checks what only tuner, space, objective and benchmark can check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from metaopt.core import registry
from metaopt.core.errors import ConfigError, MetaoptError, raise_together
from metaopt.core.machine import cores, host, versions
from metaopt.core.trial import Value
from metaopt.core.wording import listed
from metaopt.executors import EXECUTORS
from metaopt.executors.base import Executor, Recipe
from metaopt.executors.dask.clusters.settings import load_cluster
from metaopt.objectives import OBJECTIVES
from metaopt.objectives.base import Objective, dearest_epochs
from metaopt.runs.config import evaluation_epochs
from metaopt.settings.run import RunSettings
from metaopt.spaces.space import default_of, space_to_json
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem, Tuner
from metaopt.tuners.options import check_options


@dataclass(frozen=True)
class PlannedRun:
    """A run whose settings are complete and fit together: all that it takes to do it, in this process or another.

    Attributes:
        name: Of its folder.
        settings: Its settings, the tuner's options and the epochs of an evaluation among them.
        space: What its tuner searches, as plain JSON values: files may be edited while the run goes on.
    """

    name: str
    settings: RunSettings
    space: Mapping[str, Any]

    @cached_property
    def objective(self) -> Objective:
        """What is minimized: opened when it is first asked for, and anew by every copy of the record."""
        return _opened(self.settings, self.space)

    @property
    def tuner(self) -> type[Tuner]:
        """The tuner's class."""
        kind: type[Tuner] = registry.resolve("tuner", TUNERS, self.settings.tuner)
        return kind

    @property
    def default(self) -> dict[str, Value] | None:
        """The default configuration; None where there is none, as of cells."""
        return default_of(self.objective.space)

    @property
    def epochs(self) -> dict[str, int]:
        """Epochs of the shortest and of the longest evaluation, as every tuner takes them."""
        return {"min_epochs": self.settings.min_epochs or 1, "max_epochs": self.settings.max_epochs or 1}

    @property
    def recipe(self) -> Recipe:
        """How any process evaluates a trial."""
        settings = self.settings
        return Recipe(
            OBJECTIVES[settings.objective],
            settings.objective_settings(self.space),
            self.objective.needs_process,
            settings.time_limit_s,
            settings.memory_limit_mb,
        )

    def make_tuner(self) -> Tuner:
        """Returns a fresh tuner."""
        settings = self.settings
        return self.tuner(Problem(self.objective.space, settings.seed, **self.epochs), **settings.tuner_options)

    def make_executor(self) -> Executor:
        """Returns the executor, started.

        Raises:
            ConfigError: if there is no such cluster as the settings say.
        """
        kind, cluster = registry.load(EXECUTORS[self.settings.executor]), self.settings.cluster
        where = () if cluster is None else (load_cluster(cluster),)
        executor: Executor = kind(self.recipe, self.settings.workers, *where)
        return executor

    def header(self, command: Sequence[str]) -> dict[str, Any]:
        """Returns the first line of the run's journal.

        Args:
            command: That begins the run.
        """
        return {
            "run": self.settings.to_json(),
            "space": self.space,
            "default": self.default,
            "objective": self.objective.describe(),
            "versions": versions(),
            "host": host(cores()),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": list(command),
        }


def plan(settings: RunSettings, space: str | Mapping[str, Any] | None = None, name: str = "") -> PlannedRun:
    """Checks what only the parts of a run themselves can check, and completes its settings.

    Args:
        settings: As they are given, each in its range.
        space: What the tuner searches, where it is not to be taken from the settings: a file that they name otherwise,
            or what a resumed run began with.
        name: Of the run's folder; empty: as the settings say.

    Raises:
        MetaoptError: naming everything that does not fit: options, space, benchmark, table, device.
    """
    problems: list[MetaoptError] = []
    options = dict(settings.tuner_options)
    try:
        options = check_options(registry.resolve("tuner", TUNERS, settings.tuner), options)
    except MetaoptError as error:
        problems.append(error)
    try:
        objective = _opened(settings, space)
    except MetaoptError as error:
        problems.append(error)
    raise_together(problems)
    shortest, longest = evaluation_epochs(settings, *objective.epochs)
    complete = replace(settings, tuner_options=options, min_epochs=shortest, max_epochs=longest)
    run = PlannedRun(name or settings.name, complete, space_to_json(objective.space))
    vars(run)["objective"] = objective  # which is open already
    tuner = run.make_tuner()
    _check_epochs(run, tuner.possible_epochs)
    if not isinstance(space, Mapping):  # a resumed run has begun
        _check_first_trial(run, tuner)
    _check_clock(run)
    return run


def _opened(settings: RunSettings, space: str | Mapping[str, Any] | None) -> Objective:
    objective: Objective = registry.load(OBJECTIVES[settings.objective])(**settings.objective_settings(space))
    return objective


def _check_epochs(run: PlannedRun, wanted: Set[int]) -> None:
    """Checks that the objective can evaluate every configuration with every budget that the tuner may ask for.

    Raises:
        ConfigError: if not.
    """
    there = run.objective.possible_epochs
    if there is not None and (lacking := wanted - there):
        benchmark = run.settings.benchmark
        raise ConfigError(
            f"the tuner evaluates after {listed(sorted(lacking), 'epoch')}, and {benchmark} has answers for all cells "
            f"after {', '.join(map(str, sorted(there)))}",
            "change {--min_epochs}, {--max_epochs} or the eta of {--tuner_options}; "
            f"metaopt benchmark info {benchmark} says "
            "what is measured and what is predicted",
        )


def _check_first_trial(run: PlannedRun, tuner: Tuner) -> None:
    """Checks that the budget of epochs pays the first trial at its dearest, or the run would end before it begins.

    Raises:
        ConfigError: if not.
    """
    budget, shortest = run.settings.budget_epochs, min(tuner.possible_epochs)
    dearest = dearest_epochs(run.objective, tuner.first, shortest)
    if budget is not None and dearest > budget:
        what = "the tuner's shortest evaluation takes" if dearest == shortest else "the default configuration may train"
        raise ConfigError(
            f"budget_epochs is {budget}, but {what} {dearest} epochs",
            "raise {--budget_epochs}, or lower {--min_epochs} and {--max_epochs}",
        )


def _check_clock(run: PlannedRun) -> None:
    """Checks that the seconds of a run pass if they are limited: without another limit it would go on for ever.

    Raises:
        ConfigError: if the objective does not say how many seconds an evaluation took, whatever else limits the run.
    """
    settings = run.settings
    if settings.budget_seconds is not None and not run.objective.timed:
        raise ConfigError(
            f"budget_seconds is {settings.budget_seconds:g}, but what {settings.benchmark} answers does not always say "
            "how many seconds the training took",
            "use {--budget} or {--budget_epochs} in place of {--budget_seconds}",
        )
