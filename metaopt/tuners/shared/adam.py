"""Adam in NumPy (Kingma & Ba 2015, algorithm 1): tuners do without torch."""

from __future__ import annotations

import numpy as np

from metaopt.core.arrays import Floats

_TINY = 1e-8  # Kingma & Ba 2015, section 2


class Adam:
    """The moments of one flat array of parameters.

    Args:
        size: Number of parameters.
        betas: Shares of the first and of the second moment that an update keeps.
    """

    def __init__(self, size: int, betas: tuple[float, float]) -> None:
        self._betas = betas
        self._first, self._second = np.zeros((2, size))
        self._updates = 0

    def step(self, gradient: Floats, rate: float) -> Floats:
        """Takes a gradient and returns the step along it, (size,): subtract it to descend, add it to ascend."""
        first, second = self._betas
        self._updates += 1
        self._first += (1 - first) * (gradient - self._first)
        self._second += (1 - second) * (gradient * gradient - self._second)
        scale = np.sqrt(self._second / (1 - second**self._updates)) + _TINY
        return np.asarray(rate / (1 - first**self._updates) * self._first / scale)
