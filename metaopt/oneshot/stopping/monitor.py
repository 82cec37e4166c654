"""Watches the curvature of a search: measures it, and says when the search is to go back, and with what.

Early stopping goes back and ends there. Adaptive regularization (DARTS-ADA, Zela et al. 2020) goes back,
raises the L2 penalty on the weights, and goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from metaopt.oneshot.stopping.early_stopping import STOP_RULES, EarlyStopping, default_every

_RAISE = 10.0  # Zela et al. 2020, released scripts: eta
_WEIGHT_DECAY_MAX = 3e-2  # the same: R_max


@dataclass(frozen=True, slots=True)
class Return:
    """Where a search goes back to.

    Attributes:
        epoch: From 0; it is after the training of this one.
        state: Of the search there.
        weight_decay: To go on with from there; None: the search ends there.
        reason: What is done about it, in words.
    """

    epoch: int
    state: dict[str, Any]
    weight_decay: float | None
    reason: str


class CurvatureMonitor:
    """Measures and decides after every epoch of a search. Epochs count from 0.

    Args:
        measure: From a batch of the architecture's half to the dominant eigenvalue.
        epochs: Of the whole search.
        every: Epochs between two measurements; 0: only where the rule needs them, as often as published.
        rule: Of :data:`metaopt.oneshot.stopping.early_stopping.STOP_RULES`, or ``off``.
        adaptive: Whether the search goes on with a higher weight decay, as long as that can be raised.
        weight_decay: It starts with.
    """

    def __init__(
        self,
        measure: Callable[[tuple[Tensor, Tensor]], float],
        *,
        epochs: int,
        every: int,
        rule: str,
        adaptive: bool,
        weight_decay: float,
    ) -> None:
        self._measure, self._epochs, self._tracks = measure, epochs, every > 0
        self._every, self._rule = every or default_every(epochs), rule
        self._adaptive, self._weight_decay = adaptive, weight_decay
        idle = rule == "off" or (adaptive and weight_decay >= _WEIGHT_DECAY_MAX)
        self._stopping = None if idle else EarlyStopping(STOP_RULES[rule], epochs, self._every)
        self._states: dict[int, dict[str, Any]] = {}

    @property
    def most_again(self) -> int:
        """How many epochs the search trains a second time at the most, from now to its end, because it goes back."""
        if self._stopping is None or not self._adaptive or not self._stopping.may_stop:
            return 0
        returns, weight_decay = 0, self._weight_decay
        while not returns or not _is_highest(weight_decay):
            returns, weight_decay = returns + 1, _raised(weight_decay)
        return returns * self._stopping.reach

    def measure(self, epoch: int, valid: tuple[Tensor, Tensor]) -> float | None:
        """Returns the dominant eigenvalue on ``valid``; None if it is not to be measured in this epoch."""
        due = epoch % self._every == 0 or epoch == self._epochs - 1
        return self._measure(valid) if due and (self._tracks or self._stopping) else None

    def update(self, epoch: int, eigenvalue: float | None, state: Callable[[], dict[str, Any]]) -> Return | None:
        """Decides whether the search goes back.

        Args:
            epoch: That has been trained.
            eigenvalue: What :meth:`measure` returned for it.
            state: Returns a copy of the state of the search.
        """
        if self._stopping is None or eigenvalue is None:
            return None
        self._states[epoch] = state()
        self._states = {at: kept for at, kept in self._states.items() if at >= epoch - self._stopping.reach}
        stop = self._stopping.update(epoch, eigenvalue)
        return None if stop is None else self._go_back(self._stopping, stop)

    def state(self) -> dict[str, Any]:
        """Returns what it has measured and kept so far, for :meth:`load_state`."""
        return {
            "weight_decay": self._weight_decay,
            "stopping": None if self._stopping is None else self._stopping.state(),
            "states": dict(self._states),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes to where a monitor of the same arguments returned :meth:`state`."""
        self._weight_decay, self._states = state["weight_decay"], dict(state["states"])
        if state["stopping"] is None:
            self._stopping = None
        elif self._stopping is not None:
            self._stopping.load_state(state["stopping"])

    def _go_back(self, stopping: EarlyStopping, stop: int) -> Return:
        state = self._states[stop]
        if not self._adaptive:
            return Return(stop, state, None, f"stopped by the rule {self._rule}")
        self._weight_decay = _raised(self._weight_decay)
        self._states = {at: kept for at, kept in self._states.items() if at <= stop}
        stopping.rewind(stop)
        if _is_highest(self._weight_decay):
            self._stopping = None  # there is nothing left to raise, so that the search runs to its end
        reason = f"weight decay raised to {self._weight_decay:g} by the rule {self._rule}"
        return Return(stop, state, self._weight_decay, reason)


def _raised(weight_decay: float) -> float:
    return min(_RAISE * weight_decay, _WEIGHT_DECAY_MAX)


def _is_highest(weight_decay: float) -> bool:
    return math.isclose(weight_decay, _WEIGHT_DECAY_MAX)
