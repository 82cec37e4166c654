"""The settings of a run: of a tuner that tunes a one-shot optimizer, or of one that looks for cells itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, fields
from typing import Any, ClassVar

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Budget
from metaopt.settings.field import MOST, MOST_SEED, field, settings_of
from metaopt.settings.search import SearchTask, TableTask

#: Settings that results do not depend on, so that a resumed run may change them.
RESUMABLE = ("executor", "workers", "cluster", "stop_after_failures")
#: Settings that a run may be given more of, once begun; its results so far do not depend on them either.
EXTENDABLE = ("budget", "budget_epochs", "budget_seconds", "confirm")
#: What a tuner of cells may be told, of the errors that a table has for several seeds.
ERRORS = ("mean", "single")
#: Executor whose workers cost nothing, since they only look results up; its seconds are those of the table.
SIMULATED = "simulated"
#: Settings that journals hold under another key, their name when the format was made.
WRITTEN = {"space": "hyperparameters"}
_TUNER, _BUDGET, _EXECUTION = "tuner", "budget", "execution"


@dataclass(frozen=True, kw_only=True)
class RunSettings(TableTask):
    """What all runs have; fields without a help text are for subclasses to offer.

    Attributes:
        confirm: Evaluations with fresh seeds that confirm default and incumbent afterwards.
        executor: Name of the executor.
        cluster: File of the cluster that runs evaluations, or address of its scheduler; None: this machine.
        time_limit_s: Wall seconds after which an evaluation is killed.
        memory_limit_mb: MiB of memory that an evaluation may use.
    """

    #: Name in :data:`metaopt.objectives.OBJECTIVES`.
    objective: ClassVar[str]

    tuner: str = field("bohb", "tuner that proposes what to evaluate", group=_TUNER)
    tuner_options: Mapping[str, Any] = field(
        {}, "options of the tuner as NAME=VALUE; repeatable", group=_TUNER, formerly=("--tuner-option",)
    )
    budget: int | None = field(None, "evaluations that the run may use", ge=1, group=_BUDGET)
    budget_epochs: int | None = field(
        None,
        "epochs that all evaluations together may train; no evaluation starts that could exceed them",
        ge=1,
        group=_BUDGET,
    )
    budget_seconds: float | None = field(None, "seconds that the run may use", ge=1, le=MOST, group=_BUDGET)
    min_epochs: int | None = field(
        None, "minimum epochs per evaluation", ge=1, le=10**6, otherwise="set by the benchmark", group=_BUDGET
    )
    max_epochs: int | None = field(
        None, "maximum epochs per evaluation", ge=1, le=10**6, otherwise="set by the benchmark", group=_BUDGET
    )
    workers: int | None = field(None, "evaluations at a time", ge=1, otherwise="number of cores", group=_EXECUTION)
    seed: int = field(0, "seed of everything random in the run", ge=0, le=MOST_SEED, group=_TUNER)
    stop_after_failures: int = field(
        5,
        "equal failures in a row after which the run stops if no evaluation has succeeded; 0: never",
        ge=0,
        group=_EXECUTION,
    )
    folder: str | None = field(
        None, "run folder to make", otherwise="a new folder in runs/", group="output", formerly=("--run",)
    )
    confirm: int = 0
    executor: str = "serial"
    cluster: str | None = None
    time_limit_s: float | None = None
    memory_limit_mb: int | None = None

    @property
    def limits(self) -> Budget:
        """What the run may use."""
        return Budget(self.budget, self.budget_epochs, self.budget_seconds)

    @property
    @abstractmethod
    def name(self) -> str:
        """What the folder of a run is called."""

    @abstractmethod
    def objective_settings(self, space: str | Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns the keyword arguments of the objective; ``space``, if given, goes before the settings' own."""

    def to_json(self) -> dict[str, Any]:
        """Returns the settings as plain JSON values, without the folder, which may be moved."""
        return {WRITTEN.get(name, name): value for name, value in asdict(self).items() if name != "folder"}


@dataclass(frozen=True, kw_only=True)
class TuneSettings(SearchTask, RunSettings):
    """Everything that a run depends on that tunes a one-shot optimizer; ``metaopt tune --help`` documents it."""

    objective: ClassVar[str] = "oneshot"

    optimizer: str = field(MISSING, "one-shot optimizer to tune", group=_TUNER)
    space: str | None = field(
        None,
        "space of the hyperparameters: a name or a .yaml file",
        otherwise="the optimizer's own",
        group=_TUNER,
        formerly=("hyperparameters",),
    )
    executor: str = field("dask", "where evaluations run: dask, in worker processes; serial, one at a time",
        choices=("dask", "serial"), group=_EXECUTION)  # fmt: skip
    cluster: str | None = field(
        None,
        "YAML file of the cluster whose workers run evaluations",
        otherwise="processes on this machine",
        group=_EXECUTION,
    )
    time_limit_s: float | None = field(
        None,
        "wall-clock seconds after which an evaluation is killed",
        ge=1,
        le=MOST,
        otherwise="no limit",
        group=_EXECUTION,
        formerly=("--time-limit",),
    )
    memory_limit_mb: int | None = field(
        None,
        "MiB of memory that an evaluation may use",
        ge=1,
        otherwise="no limit",
        group=_EXECUTION,
        formerly=("--memory-limit",),
    )
    confirm: int = field(
        3, "searches with fresh seeds that confirm default and incumbent afterwards; 0: none", ge=0, group=_BUDGET
    )

    @property
    def name(self) -> str:
        """Optimizer, benchmark and cell space, tuner, seed."""
        return f"{self.optimizer}-{self.benchmark}{self.cell_space}-{self.tuner}-s{self.seed}"

    def objective_settings(self, space: str | Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns what :class:`metaopt.objectives.oneshot.OneShot` takes."""
        return {"optimizer": self.optimizer, "space": space or self.space, **self.task}


@dataclass(frozen=True, kw_only=True)
class BaselineSettings(RunSettings):
    """Everything that a run depends on that looks for cells itself; ``metaopt baseline --help`` documents it."""

    objective: ClassVar[str] = "table"

    tuner: str = field("random", "tuner that proposes the cells", group=_TUNER)
    budget_seconds: float | None = field(
        None, "simulated seconds that the run may use: of training, as the table has them", ge=1, le=MOST, group=_BUDGET
    )
    workers: int | None = field(
        None, "evaluations at a time, on the simulated clock", ge=1, otherwise="1", group=_EXECUTION
    )
    executor: str = SIMULATED
    errors: str = field(
        "mean",
        "what the tuner is told of a cell: the mean over the table's seeds, or a single seed that is drawn",
        choices=ERRORS,
        group=_TUNER,
    )

    @property
    def name(self) -> str:
        """Benchmark and cell space, tuner, seed."""
        return f"cells-{self.benchmark}{self.cell_space}-{self.tuner}-s{self.seed}"

    def objective_settings(self, space: str | Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns what :class:`metaopt.objectives.table.TableLookup` takes; the cell space is the space."""
        return {"errors": self.errors, **self.task}


def settings(kind: type[RunSettings]) -> tuple[Field[Any], ...]:
    """Returns the fields that can be set from outside, those of what a run works on last."""
    on = {field.name for field in fields(kind.task_class())}
    return tuple(sorted(settings_of(kind), key=lambda field: field.name in on))


def from_json(data: Mapping[str, Any]) -> RunSettings:
    """Returns the settings that :meth:`RunSettings.to_json` wrote.

    Raises:
        ConfigError: if they are those of another version.
    """
    kind = TuneSettings if "optimizer" in data else BaselineSettings
    names = {key: name for name, key in WRITTEN.items()}
    try:
        return kind(**{names.get(key, key): value for key, value in data.items()})
    except TypeError as error:
        raise ConfigError(f"the journal's settings are not those of this metaopt: {error}", "use its version") from None
