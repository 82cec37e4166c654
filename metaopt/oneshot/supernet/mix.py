"""What a forward pass through the supernet runs under: weights for everything, or one single path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from metaopt.cells.space import Cell

#: Order of the operations in the one-shot model; not NAS-Bench-101's order of labels.
MIXED_OPS = ("maxpool3x3", "conv3x3", "conv1x1")


@dataclass(frozen=True)
class Mix:
    """Weights of one forward pass through a cell, all at least 0.

    Attributes:
        ops: (n, 3), a row per choice block, columns as :data:`MIXED_OPS`.
        output: (n + 1,), of nodes 0..n in the output.
        inputs: For choice block j = 1..n, (j,): of nodes 0..j-1 in its input.
        chosen: For every choice block the only operation that is computed, as its column; None: all of them.
        gates: True where a weight may be 0 and its gradient is needed all the same.
    """

    ops: Tensor
    output: Tensor
    inputs: tuple[Tensor, ...]
    chosen: tuple[int, ...] | None = None
    gates: bool = False


@dataclass(frozen=True)
class Path:
    """One single cell: only what reaches its output is computed, every edge has weight 1.

    Attributes:
        cell: The cell.
        mean: Whether a node that has a choice takes the mean of its parents, as under a softmax, and not their sum.
    """

    cell: Cell
    mean: bool = False

    @cached_property
    def ops(self) -> tuple[int, ...]:
        """Column of the operation of every choice block."""
        return tuple(MIXED_OPS.index(op) for op in self.cell.ops)

    @cached_property
    def live(self) -> tuple[int, ...]:
        """Numbers of the choice blocks that reach the output, ascending."""
        seen: set[int] = set()
        waiting = list(self.cell.parents[-1])
        while waiting:
            node = waiting.pop()
            if node and node not in seen:
                seen.add(node)
                waiting += self.cell.parents[node - 1]
        return tuple(sorted(seen))


#: One for all cells of the supernet, or one per cell.
Mixes = Mix | Path | Sequence[Mix | Path]
