"""Random search with weight sharing (Li and Talwalkar 2019), as 1Shot1 runs it: every batch trains a uniform sample.

Nothing is learnt but the shared weights; they rank new samples, and the best one is picked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from metaopt.cells.space import Cell
from metaopt.oneshot.sampled import SampledOptimizer


class RandomWs(SampledOptimizer):
    """Random-WS; wirings with loose ends included, which go untrained."""

    def draw(self, count: int, rng: np.random.Generator) -> list[Cell]:
        """Returns cells with every node's parents and operation uniform."""
        return [self.parts.cell_space.sample(rng) for _ in range(count)]

    def arch_to_json(self) -> dict[str, Any]:
        """Returns nothing, as there are no weights of the architecture."""
        return {}
