"""Architecture parameters of the gradient-based optimizers: their layout, their softmax, the cell they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from metaopt.cells.space import Cell, CellSpace
from metaopt.oneshot.supernet.decode import cells_by_strength, parent_scores, reopened
from metaopt.oneshot.supernet.mix import MIXED_OPS, Mix


@dataclass(frozen=True)
class ArchParameters:
    """Unconstrained parameters, shared by all cells (1Shot1, section 3: 24, 26 and 35 numbers in spaces 1, 2 and 3).

    Attributes:
        cell_space: The cell space.
        ops: (n, 3), columns as :data:`metaopt.oneshot.supernet.mix.MIXED_OPS`.
        output: (n + 1,), of nodes 0..n.
        inputs: For every choice block with a choice of parents, by its number j: (j,).
        closed: True for what is decided against for good, in the layout of a mix; see
            :mod:`metaopt.oneshot.projection`.
    """

    cell_space: CellSpace
    ops: Tensor
    output: Tensor
    inputs: dict[int, Tensor]
    closed: Mix

    @classmethod
    def draw(cls, cell_space: CellSpace, generator: torch.Generator, device: torch.device) -> ArchParameters:
        """Draws all parameters from 1e-3 N(0, 1) (1Shot1, released code)."""

        def draw(*shape: int) -> Tensor:
            return (1e-3 * torch.randn(shape, generator=generator)).to(device).requires_grad_()

        choosing = [j for j in range(1, cell_space.n_nodes + 1) if len(cell_space.parent_choices[j - 1]) > 1]
        n = cell_space.n_nodes
        ops, output, inputs = draw(n, len(MIXED_OPS)), draw(n + 1), {j: draw(j) for j in choosing}
        nothing = tuple(torch.zeros(j, dtype=torch.bool, device=device) for j in range(1, n + 1))
        closed = Mix(torch.zeros_like(ops, dtype=torch.bool), torch.zeros_like(output, dtype=torch.bool), nothing)
        return cls(cell_space, ops, output, inputs, closed)

    @property
    def tensors(self) -> list[Tensor]:
        """All parameters, in the order operations, output, inputs."""
        return [self.ops, self.output, *self.inputs.values()]

    def mapped(self, weigh: Callable[[Tensor], Tensor]) -> Mix:
        """Returns the mix whose rows are ``weigh`` of ours; a block without a choice sums its parents with weight 1.

        Args:
            weigh: From parameters to weights of the same shape, along the last axis. Minus infinity, for what is
                closed, is to get weight 0.
        """
        inputs = tuple(
            weigh(_open(self.inputs[j], closed)) if j in self.inputs else self.ops.new_ones(j)
            for j, closed in enumerate(self.closed.inputs, start=1)
        )
        return Mix(weigh(_open(self.ops, self.closed.ops)), weigh(_open(self.output, self.closed.output)), inputs)

    def softmax(self) -> Mix:
        """Returns the softmax of every row."""
        return self.mapped(partial(torch.softmax, dim=-1))

    def cells(self) -> Iterator[Cell]:
        """Yields all cells by the sum of their parameters.

        The first one has every block's largest operation and every node's largest ``n_parents`` parents. Parameters
        differ from the logarithms of their softmax by a constant per row, so the order is that of probabilities.
        """
        ops = [
            reopened(row.tolist(), closed.tolist())
            for row, closed in zip(self.ops.detach(), self.closed.ops, strict=True)
        ]
        rows = [
            self.inputs[node].detach() if node in self.inputs else self.ops.new_zeros(node)
            for node in range(1, self.cell_space.n_nodes + 1)
        ]
        parents = [
            parent_scores(choices, reopened(row.tolist(), closed.tolist()))
            for choices, row, closed in zip(
                self.cell_space.parent_choices,
                (*rows, self.output.detach()),
                (*self.closed.inputs, self.closed.output),
                strict=True,
            )
        ]
        return cells_by_strength(self.cell_space, ops, parents)

    def to_json(self) -> dict[str, list[list[float]]]:
        """Returns the softmax of all parameters as plain lists, one row per choice, rounded to six places."""
        mix = self.softmax()

        def rows(tensors: list[Tensor]) -> list[list[float]]:
            return [[round(x, 6) for x in t.tolist()] for t in tensors]

        chosen = [mix.inputs[j - 1].detach() for j in self.inputs]
        return {"ops": rows(list(mix.ops.detach())), "output": rows([mix.output.detach()]), "inputs": rows(chosen)}


def _open(row: Tensor, closed: Tensor) -> Tensor:
    return row.masked_fill(closed, -torch.inf)
