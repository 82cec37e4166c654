"""The settings of a run: of a tuner that tunes a one-shot optimizer, or of one that looks for cells itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, fields
from typing import Any, ClassVar

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Budget
from metaopt.settings.field import MOST_SEED, setting
from metaopt.settings.search import SearchTask, TableTask

#: Settings that results do not depend on, so that a resumed run may change them.
RESUMABLE = ("executor", "workers", "cluster", "stop_after_failures")
#: What a tuner of cells may be told, of the errors that a table has for several seeds.
ERRORS = ("mean", "single")


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

    tuner: str = setting("bohb", "tuner that proposes what to evaluate")
    tuner_options: Mapping[str, Any] = setting({}, "option of the tuner as name=value; repeatable", "--tuner-option")
    budget: int | None = setting(None, "evaluations that the run may use", lowest=1)
    budget_epochs: int | None = setting(
        None, "epochs that all evaluations together may train; none starts that could train more than is left", lowest=1
    )
    budget_seconds: float | None = setting(None, "seconds that the run may use", lowest=1)
    min_epochs: int | None = setting(
        None, "epochs of the shortest evaluation; the benchmark's, at most max_epochs", lowest=1, highest=10**6
    )
    max_epochs: int | None = setting(None, "epochs of the longest evaluation; the benchmark's", lowest=1, highest=10**6)
    workers: int | None = setting(None, "evaluations at a time; as many as there are cores", lowest=1)
    seed: int = setting(0, "seed of everything random in the run", lowest=0, highest=MOST_SEED)
    stop_after_failures: int = setting(
        5, "failures of the same kind in a row, none having succeeded, after which the run stops; 0: never", lowest=0
    )
    folder: str | None = setting(None, "run folder to make; a free name under runs/", "--run")
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
        return {name: value for name, value in asdict(self).items() if name != "folder"}


@dataclass(frozen=True, kw_only=True)
class TuneSettings(SearchTask, RunSettings):
    """Everything that a run depends on that tunes a one-shot optimizer; ``metaopt tune --help`` documents it."""

    objective: ClassVar[str] = "oneshot"

    optimizer: str = setting(MISSING, "one-shot optimizer to tune")
    hyperparameters: str | None = setting(None, "space of the hyperparameters: a name or a .yaml file; the optimizer's")
    executor: str = setting("dask", "where evaluations run: dask, on worker processes, or serial, one at a time")
    cluster: str | None = setting(
        None, "YAML file of the cluster whose workers run evaluations; without one, processes on this machine"
    )
    time_limit_s: float | None = setting(
        None, "wall seconds after which an evaluation is killed", "--time-limit", lowest=1
    )
    memory_limit_mb: int | None = setting(None, "MiB of memory that an evaluation may use", "--memory-limit", lowest=1)
    confirm: int = setting(
        3, "searches with fresh seeds that confirm default and incumbent afterwards; 0: none", lowest=0
    )

    @property
    def name(self) -> str:
        """Optimizer, benchmark and cell space, tuner, seed."""
        return f"{self.optimizer}-{self.benchmark}{self.cell_space}-{self.tuner}-s{self.seed}"

    def objective_settings(self, space: str | Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns what :class:`metaopt.objectives.oneshot.OneShot` takes."""
        return {"optimizer": self.optimizer, "space": space or self.hyperparameters, **self.task}


@dataclass(frozen=True, kw_only=True)
class BaselineSettings(RunSettings):
    """Everything that a run depends on that looks for cells itself; ``metaopt baseline --help`` documents it."""

    objective: ClassVar[str] = "table"

    tuner: str = setting("random", "tuner that proposes the cells")
    budget_seconds: float | None = setting(
        None, "seconds of training, as the table has them, that the run may use", lowest=1
    )
    workers: int | None = setting(None, "evaluations at a time, on a clock that the table drives; one", lowest=1)
    executor: str = "simulated"
    errors: str = setting("mean", "what the tuner is told: mean over the table's seeds, or single, one that is drawn")

    @property
    def name(self) -> str:
        """Benchmark and cell space, tuner, seed."""
        return f"cells-{self.benchmark}{self.cell_space}-{self.tuner}-s{self.seed}"

    def objective_settings(self, space: str | Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns what :class:`metaopt.objectives.table.TableLookup` takes; the cell space is the space."""
        return {"errors": self.errors, **self.task}


def settings(kind: type[RunSettings]) -> tuple[Field[Any], ...]:
    """Returns the fields that can be set from outside, those of what a run works on last."""
    on = {of.name for of in fields(kind.task_class())}
    return tuple(sorted((of for of in fields(kind) if "help" in of.metadata), key=lambda of: of.name in on))


def from_json(data: Mapping[str, Any]) -> RunSettings:
    """Returns the settings that :meth:`RunSettings.to_json` wrote.

    Raises:
        ConfigError: if they are those of another version.
    """
    kind = TuneSettings if "optimizer" in data else BaselineSettings
    try:
        return kind(**data)
    except TypeError as error:
        raise ConfigError(f"the journal's settings are not those of this metaopt: {error}", "use its version") from None
