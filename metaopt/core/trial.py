"""The two records that cross every border: a trial goes out, a result comes back. Both are one JSON line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Value = str | int | float | bool
Status = Literal["ok", "crashed", "timeout", "stopped"]

#: Worst possible error: what a tuner is told of a trial that gave none.
WORST_ERROR = 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluation that a tuner asks for.

    Attributes:
        id: Number of the evaluation in its run, from 0 without gaps.
        key: Number of the configuration; evaluations of one configuration at several epochs share it.
        config: Active hyperparameters, or the choices that make a cell; plain Python values only.
        epochs: Budget of the evaluation.
        seed: Seed of everything random in the evaluation.
        memo: What the tuner needs to be replayed from the journal, e.g. a bracket; plain JSON values only.
        most_epochs: Epochs that it may train at the most, where these are more than :attr:`epochs`; None: those. The
            tuner does not know them, so that trials are equal without them.
    """

    id: int
    key: int
    config: Mapping[str, Value]
    epochs: int
    seed: int
    memo: Mapping[str, Any] = field(default_factory=dict)
    most_epochs: int | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Returns the trial as plain JSON values; what is as usual, the most epochs, is left out."""
        values = asdict(self)
        return values if self.most_epochs else {name: value for name, value in values.items() if name != "most_epochs"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trial:
        """Returns the trial that :meth:`to_json` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one trial.

    Attributes:
        trial_id: ``Trial.id``.
        status: ``ok``; ``crashed``: exception, not a number, segmentation fault, out of memory; ``timeout``: over the
            time limit of a trial; ``stopped``: ended because the budget of seconds was used up.
        valid_error: In [0, 1], minimized; None unless ``ok``.
        test_error: In [0, 1], reported, never chosen by; None where there is none.
        cost_s: Wall seconds that the evaluation took, in all its starts; of one that is looked up, what the table says
            its training took.
        reason: Why the status is not ``ok``; empty otherwise.
        info: Further plain JSON values for the report, e.g. the cell found.
        epochs: Epochs that were trained where these are not the trial's, because the search stopped early, went back,
            or trained on to decide its cell; None: the trial's.
        cpu_s: CPU seconds of it, over all threads, which depend less on what else runs; None where not measured.
        restarts: How often it was begun again after its process, its worker or its driver was lost or stopped.
    """

    trial_id: int
    status: Status
    valid_error: float | None = None
    test_error: float | None = None
    cost_s: float = 0.0
    reason: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    cpu_s: float | None = None
    restarts: int = 0

    @property
    def loss(self) -> float:
        """What a tuner learns from: the validation error, or the worst one; always finite."""
        return WORST_ERROR if self.valid_error is None else self.valid_error

    def to_json(self) -> dict[str, Any]:
        """Returns the result as plain JSON values; what never happened, a restart, is left out."""
        values = asdict(self)
        return values if self.restarts else {name: value for name, value in values.items() if name != "restarts"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        """Returns the result that :meth:`to_json` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may use; None is without limit.

    Attributes:
        evaluations: Trials asked for, the unit of the literature.
        epochs: Sum of the epochs that all trials trained; none starts that may train more than is left of them.
        seconds: Wall seconds, summed over all drivers that worked on the run.
    """

    evaluations: int | None = None
    epochs: int | None = None
    seconds: float | None = None


def charged_epochs(trial: Trial, result: Result | None) -> int:
    """Returns what an evaluation costs of a budget of epochs: what it trained, or while it runs the most it may."""
    if result is None:
        return trial.most_epochs or trial.epochs
    return trial.epochs if result.epochs is None else result.epochs
