"""When to stop a search: as soon as the dominant eigenvalue grows (Zela et al. 2020, section 4.3).

The eigenvalue of the validation loss's Hessian with respect to the architecture grows when a search begins to pick
cells that work in the supernet only. A rule compares its running mean now with the one a while ago; if that has grown
by too much, the search goes back to where it was then.

Published constants are for 50 epochs. They are kept as shares of a search's epochs, so that a search of 25 epochs
that measures every epoch sees as many measurements as the published one of 50 that measures every other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MEASUREMENTS = 25  # of a published search, which measures every other of its 50 epochs


@dataclass(frozen=True, slots=True)
class StopRule:
    """Constants of a rule.

    Attributes:
        window: Width of the running mean, as a share of the search's epochs.
        lag: From the earlier mean to the one it is compared with, as a share of the epochs.
        factor: What the ratio of the two may be at most.
        start: Earliest epoch to go back to, as a share of the epochs.
    """

    window: float
    lag: float
    factor: float
    start: float = 0.2


#: ``code``: the released code, 5 and 4 measurements, one every 2 of 50 epochs, from epoch 10 on. ``paper``: running
#: mean over k = 5 epochs, compared over k epochs, earlier one below 0.75 of the later one (Zela et al. 2020, section
#: 4.3); the paper gives no first epoch, so that of the code.
STOP_RULES: dict[str, StopRule] = {
    "code": StopRule(window=10 / 50, lag=8 / 50, factor=1.3),
    "paper": StopRule(window=5 / 50, lag=5 / 50, factor=1 / 0.75),
}


def default_every(epochs: int) -> int:
    """Returns the epochs between two measurements that make as many of them as a published search has."""
    return max(1, round(epochs / _MEASUREMENTS))


class EarlyStopping:
    """Decides from the eigenvalues measured so far. Epochs count from 0, as in published figures.

    Args:
        rule: Its constants.
        epochs: Of the whole search.
        every: Epochs between two measurements.
    """

    def __init__(self, rule: StopRule, epochs: int, every: int) -> None:
        self._factor, self._every = rule.factor, every
        self._half = round(rule.window * epochs / every) // 2
        self._lag = max(1, round(rule.lag * epochs / every))
        self._earliest = round(rule.start * epochs)
        self._last = epochs - 1
        self._measured: list[tuple[int, float]] = []

    @property
    def reach(self) -> int:
        """How many epochs back of the present one the rule may send a search."""
        return (self._half + self._lag) * self._every

    @property
    def may_stop(self) -> bool:
        """Whether an epoch that it may send a search back to lies far enough before the last one."""
        first = math.ceil(self._earliest / self._every) * self._every  # the first one that is measured
        return first + self.reach < self._last

    def update(self, epoch: int, eigenvalue: float) -> int | None:
        """Takes a measurement.

        Means are centred, so that the later one belongs to half a window ago; at the very start they are over what
        there is. The last epoch decides nothing: the search is over, and its measurement may come off the beat.

        Args:
            epoch: Above that of the measurement before.
            eigenvalue: After the training of that epoch.

        Returns:
            The epoch to go back to, None to go on.
        """
        self._measured.append((epoch, eigenvalue))
        later = len(self._measured) - 1 - self._half
        earlier = later - self._lag
        if epoch == self._last or earlier < 0 or (stop := self._measured[earlier][0]) < self._earliest:
            return None
        before, now = self._mean(earlier), self._mean(later)
        # Growth by a factor means nothing from a mean that is not positive.
        return stop if before > 0 and now / before > self._factor else None

    def rewind(self, epoch: int) -> None:
        """Forgets what was measured after ``epoch``; the rule will not go back to before it any more."""
        self._measured = [(at, value) for at, value in self._measured if at <= epoch]
        self._earliest = max(self._earliest, epoch)

    def state(self) -> dict[str, Any]:
        """Returns what was measured, and the earliest epoch to go back to, as plain values."""
        return {"earliest": self._earliest, "measured": [list(pair) for pair in self._measured]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes to where a rule of the same arguments returned :meth:`state`."""
        self._earliest = state["earliest"]
        self._measured = [(epoch, value) for epoch, value in state["measured"]]

    def _mean(self, centre: int) -> float:
        window = self._measured[max(0, centre - self._half) : centre + self._half + 1]
        return math.fsum(value for _, value in window) / len(window)
