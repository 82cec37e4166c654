"""How far a search has come: all of its loop that is not the model it trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from metaopt.oneshot.stopping.guard import Guard


@dataclass(frozen=True, slots=True)
class Trained:
    """What the training of an epoch gives.

    Attributes:
        loss: Mean cross-entropy of its weight steps.
        eigenvalue: The dominant one; None where it was not measured.
        note: What happened after it; empty: nothing.
    """

    loss: float
    eigenvalue: float | None
    note: str = ""


@dataclass(slots=True)
class Course:
    """Where the loop of a search is between two epochs.

    Attributes:
        total: Epochs that the schedules span.
        guard: What watches the curvature, if anything does.
        epoch: To be trained next, in the schedules, from 0.
        trained: How many epochs were trained, those that were gone back on included.
        numbers: When each epoch of the schedules was trained last, from 1; after a return one is trained again.
        last: Of the last epoch that was trained.
        over: Whether no epoch of the schedules is left, so that the final cell is decided next.
    """

    total: int
    guard: Guard | None
    epoch: int = 0
    trained: int = 0
    numbers: dict[int, int] = field(default_factory=dict)
    last: Trained | None = None
    over: bool = False

    def state(self) -> dict[str, Any]:
        """Returns all of it but the total as plain values and tensors."""
        return {
            "guard": None if self.guard is None else self.guard.state(),
            "epoch": self.epoch,
            "trained": self.trained,
            "numbers": dict(self.numbers),
            "last": None if self.last is None else asdict(self.last),
            "over": self.over,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes to where :meth:`state` was returned."""
        if self.guard is not None:
            self.guard.load_state(state["guard"])
        self.epoch, self.trained, self.numbers = state["epoch"], state["trained"], dict(state["numbers"])
        self.last = None if state["last"] is None else Trained(**state["last"])
        self.over = state["over"]
