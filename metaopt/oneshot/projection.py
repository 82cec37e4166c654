"""The final cell by perturbation (DARTS-PT, Wang et al. 2021, Algorithm 1), instead of by the largest parameters.

What a choice is worth is how much worse the supernet gets without it. Decisions are made one at a time, operations
before wiring, each in random order; between two of them the search goes on for some epochs with what is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from metaopt.cells.space import CellSpace
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.evaluator import SupernetEvaluator
from metaopt.oneshot.supernet.mix import Mix


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing to decide.

    Attributes:
        node: The choice block, from 1, or n + 1, the output.
        size: How many of its parents remain; None: its operation is decided instead.
    """

    node: int
    size: int | None = None

    def row(self, mix: Mix) -> Tensor:
        """Returns the row of ``mix`` that this is about."""
        if self.size is None:
            return mix.ops[self.node - 1]
        return (*mix.inputs, mix.output)[self.node - 1]


def decisions(cell_space: CellSpace) -> tuple[list[Decision], list[Decision]]:
    """Returns what is to be decided in a cell space: operations, then wiring."""
    ops = [Decision(node) for node in range(1, cell_space.n_nodes + 1)]
    return ops, [Decision(node, size) for node, size in enumerate(cell_space.n_parents, start=1) if size < node]


class Projection:
    """Closes choices of an architecture until one cell is left.

    Args:
        arch: The parameters; what is decided against is closed in them.
        evaluation: Of the supernet; its weights stay as they are.
        generator: Decides the order.

    Attributes:
        waiting: What is still to be decided, in this order.
    """

    def __init__(self, arch: ArchParameters, evaluation: SupernetEvaluator, generator: torch.Generator) -> None:
        self._arch, self._evaluation = arch, evaluation
        self.waiting = [
            alike[k]
            for alike in decisions(arch.cell_space)
            for k in torch.randperm(len(alike), generator=generator).tolist()
        ]

    def decide(self) -> int:
        """Makes the next decision: keeps the operation, or the parents, that the supernet misses most.

        Parents go one by one, each time the one that is missed least.

        Returns:
            How many times all images of the architecture's half were evaluated.
        """
        decision = self.waiting.pop(0)
        closed = decision.row(self._arch.closed)
        if decision.size is None:
            without = self._without_each(decision, closed)
            closed.fill_(True)[max(without, key=without.__getitem__)] = False
            return len(without)
        validation_passes = 0
        while int((~closed).sum()) > decision.size:
            without = self._without_each(decision, closed)
            closed[min(without, key=without.__getitem__)] = True
            validation_passes += len(without)
        return validation_passes

    def _without_each(self, decision: Decision, closed: Tensor) -> dict[int, tuple[float, float]]:
        """Returns error, and cross-entropy for the case of ties, without each open choice, all others unchanged."""
        scores = {}
        for choice in (~closed).nonzero().flatten().tolist():
            with torch.no_grad():
                mix = self._arch.softmax()
                decision.row(mix)[choice] = 0.0
            scores[choice] = self._evaluation.batch_score(mix)
        return scores
