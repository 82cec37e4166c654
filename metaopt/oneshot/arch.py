"""Architecture parameters of the gradient-based optimizers: their layout, their softmax, the cell they stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from metaopt.cells.space import Cell, CellSpace
from metaopt.oneshot.mix import MIXED_OPS, Mix


@dataclass(frozen=True)
class ArchParameters:
    """Unconstrained parameters, shared by all cells (1Shot1, section 3: 24, 26 and 35 numbers in spaces 1, 2 and 3).

    Attributes:
        space: The cell space.
        ops: (n, 3), columns as :data:`metaopt.oneshot.mix.MIXED_OPS`.
        output: (n + 1,), of nodes 0..n.
        inputs: For every choice block with a choice of parents, by its number j: (j,).
    """

    space: CellSpace
    ops: Tensor
    output: Tensor
    inputs: dict[int, Tensor]

    @classmethod
    def draw(cls, space: CellSpace, generator: torch.Generator, device: torch.device) -> ArchParameters:
        """Draws all parameters from 1e-3 N(0, 1) (1Shot1, released code)."""

        def draw(*shape: int) -> Tensor:
            return (1e-3 * torch.randn(shape, generator=generator)).to(device).requires_grad_()

        choosing = [j for j in range(1, space.n_nodes + 1) if len(space.parent_choices[j - 1]) > 1]
        n = space.n_nodes
        return cls(space, draw(n, len(MIXED_OPS)), draw(n + 1), {j: draw(j) for j in choosing})

    @property
    def tensors(self) -> list[Tensor]:
        """All parameters, in the order operations, output, inputs."""
        return [self.ops, self.output, *self.inputs.values()]

    def mapped(self, weigh: Callable[[Tensor], Tensor]) -> Mix:
        """Returns the mix whose rows are ``weigh`` of ours; a block without a choice sums its parents with weight 1.

        Args:
            weigh: From parameters to weights of the same shape, along the last axis.
        """
        inputs = tuple(
            weigh(self.inputs[j]) if j in self.inputs else self.ops.new_ones(j)
            for j in range(1, self.space.n_nodes + 1)
        )
        return Mix(weigh(self.ops), weigh(self.output), inputs)

    def softmax(self) -> Mix:
        """Returns the softmax of every row."""
        return self.mapped(partial(torch.softmax, dim=-1))

    def cell(self) -> Cell:
        """Returns the strongest cell: every block's largest operation, every node's largest ``n_parents`` parents."""
        parents = []
        for node, size in enumerate(self.space.n_parents, start=1):
            weights = self.output if node > self.space.n_nodes else self.inputs.get(node)
            strongest = range(node) if weights is None else torch.topk(weights.detach(), size).indices.tolist()
            parents.append(tuple(sorted(strongest)))
        return Cell(tuple(parents), tuple(MIXED_OPS[k] for k in self.ops.argmax(dim=1).tolist()))

    def to_json(self) -> dict[str, list[list[float]]]:
        """Returns the softmax of all parameters as plain lists, one row per choice, rounded to six places."""
        mix = self.softmax()

        def rows(tensors: list[Tensor]) -> list[list[float]]:
            return [[round(x, 6) for x in t.tolist()] for t in tensors]

        chosen = [mix.inputs[j - 1].detach() for j in self.inputs]
        return {"ops": rows(list(mix.ops.detach())), "output": rows([mix.output.detach()]), "inputs": rows(chosen)}
