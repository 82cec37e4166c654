"""The state of a search between two epochs: the model that it trains, and how far its loop has come."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from metaopt.oneshot.base import OneShotOptimizer
from metaopt.oneshot.stopping.monitor import CurvatureMonitor, Return
from metaopt.oneshot.supernet.supernet import Supernet


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
class SearchState:
    """All that changes while a search runs; random streams of the loop are named by the epoch.

    Attributes:
        supernet: The one-shot model.
        weight_optim: Optimizer of its weights.
        optimizer: The one-shot optimizer.
        total: Epochs that the schedules span.
        monitor: Curvature monitor; None without one.
        epoch: Epoch of the schedules to be trained next, from 0.
        trained: Epochs trained so far, including those rolled back.
        numbers: When each epoch of the schedules was trained last, from 1; after a return one is trained again.
        last: Outcome of the last epoch that was trained.
        over: Whether no epoch of the schedules is left, so that the final cell is decided next.
    """

    supernet: Supernet
    weight_optim: torch.optim.Optimizer
    optimizer: OneShotOptimizer
    total: int
    monitor: CurvatureMonitor | None
    epoch: int = 0
    trained: int = 0
    numbers: dict[int, int] = field(default_factory=dict)
    last: Trained | None = None
    over: bool = False

    def save(self) -> dict[str, Any]:
        """Returns all of it but the total as plain values and tensors.

        Tensors are partly the search's own and not copies: pack them before the search goes on.
        """
        # The names are those in checkpoints of all versions.
        course = {
            "guard": None if self.monitor is None else self.monitor.state(),
            "epoch": self.epoch,
            "trained": self.trained,
            "numbers": dict(self.numbers),
            "last": None if self.last is None else asdict(self.last),
            "over": self.over,
        }
        return {"model": self._model(), "course": course}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Goes to where :meth:`save` was called on the state of a search with the same arguments and total."""
        course = saved["course"]
        if self.monitor is not None:
            self.monitor.load_state(course["guard"])
        self.epoch, self.trained, self.numbers = course["epoch"], course["trained"], dict(course["numbers"])
        self.last = None if course["last"] is None else Trained(**course["last"])
        self.over = course["over"]
        self._load_model(saved["model"], self.epoch)

    def copy_model(self) -> dict[str, Any]:
        """Returns a copy of all that training changes, to go back to."""
        return deepcopy(self._model())

    def go_back(self, back: Return) -> None:
        """Goes back to an earlier :meth:`copy_model`, with another weight decay if the search continues from there."""
        self._load_model(back.state, back.epoch + 1)
        if back.weight_decay is not None:
            for group in self.weight_optim.param_groups:
                group["weight_decay"] = back.weight_decay

    def _model(self) -> dict[str, Any]:
        return {
            "supernet": self.supernet.state_dict(),
            "weight_optim": self.weight_optim.state_dict(),
            "drop_path": self.supernet.drop_path_generator.get_state(),
            "optimizer": self.optimizer.state(),
        }

    def _load_model(self, model: Mapping[str, Any], epochs_done: int) -> None:
        self.supernet.load_state_dict(model["supernet"])
        self.weight_optim.load_state_dict(deepcopy(model["weight_optim"]))
        self.supernet.drop_path_generator.set_state(model["drop_path"])
        self.optimizer.load_state(model["optimizer"])
        self.optimizer.elapsed = min(1.0, epochs_done / self.total)
