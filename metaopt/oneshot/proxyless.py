"""ProxylessNAS (Cai, Zhu and Han 2019) on the cell spaces of 1Shot1: every choice is a binary gate.

Weights learn on one path at a time, drawn from the probabilities of all choices; only that path is computed. The
architecture learns from the gradients of all gates of a drawn path (section 3.2, equation 4): a gate is 0 or 1 and has
the gradient of its probability. A node's parents are one choice among all sets that it may take, so that every drawn
path is a cell of the space.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from metaopt.cells.space import Cell, CellSpace
from metaopt.oneshot.base import Batch
from metaopt.oneshot.gradient import GradientOptimizer, GradientSettings
from metaopt.oneshot.supernet.decode import cells_by_strength
from metaopt.oneshot.supernet.mix import MIXED_OPS, Mix, Path
from metaopt.oneshot.train import SearchDivergedError
from metaopt.settings.field import field


@dataclass(frozen=True, kw_only=True)
class ProxylessSettings(GradientSettings):
    """Settings of ProxylessNAS; those of the architecture as in its released code, those of the weights as in 1Shot1.

    Attributes:
        arch_every: Weight steps per step of the architecture.
    """

    arch_learning_rate: float = field(1e-3, ge=0)
    arch_weight_decay: float = field(0.0, ge=0)
    warm_start: float = field(0.25, ge=0, le=1)  # 40 epochs of the weights alone, then 120 of both
    arch_every: int = field(5, ge=1)
    curvature_is_steady: ClassVar[bool] = False


@dataclass(frozen=True)
class GateParameters:
    """Logits of every choice.

    Attributes:
        cell_space: The cell space.
        ops: (n, 3), columns as :data:`metaopt.oneshot.supernet.mix.MIXED_OPS`.
        parents: By node: (number of sets of parents that it may take,); nodes without a choice have none.
    """

    cell_space: CellSpace
    ops: Tensor
    parents: dict[int, Tensor]

    @classmethod
    def draw(cls, cell_space: CellSpace, generator: torch.Generator, device: torch.device) -> GateParameters:
        """Draws all logits from 1e-3 N(0, 1) (Cai et al. 2019, released code)."""

        def draw(*shape: int) -> Tensor:
            return (1e-3 * torch.randn(shape, generator=generator)).to(device).requires_grad_()

        sizes = {node: len(sets) for node, sets in enumerate(cell_space.parent_choices, start=1)}
        ops = draw(cell_space.n_nodes, len(MIXED_OPS))
        return cls(cell_space, ops, {node: draw(size) for node, size in sizes.items() if size > 1})

    @property
    def tensors(self) -> list[Tensor]:
        """All logits, operations first."""
        return [self.ops, *self.parents.values()]

    def choose(self, ops: Tensor, parents: dict[int, int]) -> Cell:
        """Returns the cell of the operations' columns (n,) and, by node, the number of a set of parents."""
        sets = [choices[parents.get(node, 0)] for node, choices in enumerate(self.cell_space.parent_choices, start=1)]
        return Cell(tuple(sets), tuple(MIXED_OPS[k] for k in ops.tolist()))

    def cells(self) -> Iterator[Cell]:
        """Yields all cells, the most probable first."""
        parents = [
            dict(zip(choices, self.parents[node].tolist() if node in self.parents else [0.0], strict=True))
            for node, choices in enumerate(self.cell_space.parent_choices, start=1)
        ]
        return cells_by_strength(self.cell_space, self.ops.tolist(), parents)

    def to_json(self) -> dict[str, Any]:
        """Returns all probabilities as plain lists, one row per choice, rounded to six places."""

        def rows(tensors: list[Tensor]) -> list[list[float]]:
            return [[round(x, 6) for x in torch.softmax(t.detach(), -1).tolist()] for t in tensors]

        return {"ops": rows(list(self.ops)), "parents": rows(list(self.parents.values()))}


class Proxyless(GradientOptimizer):
    """ProxylessNAS with gates on operations and on sets of parents, gradient of all gates."""

    Settings = ProxylessSettings
    settings: ProxylessSettings
    arch: GateParameters
    betas = (0.0, 0.999)  # Cai et al. 2019, released code
    _steps = 0

    def draw_architecture(self) -> GateParameters:
        """Returns logits of all choices."""
        return GateParameters.draw(self.parts.cell_space, self.parts.generator, self.device)

    def _draw(self) -> tuple[Tensor, dict[int, int]]:
        """Draws a column per block and the number of a set of parents per node.

        Raises:
            SearchDivergedError: if there is nothing to draw from, since a gradient was not finite.
        """

        def draw(logits: Tensor) -> Tensor:
            probabilities = torch.softmax(logits.detach(), -1).cpu()
            if not probabilities.isfinite().all():
                raise SearchDivergedError("the architecture is not a number any more")
            return torch.multinomial(probabilities, 1, generator=self.parts.generator)

        return draw(self.arch.ops)[:, 0], {node: int(draw(row)) for node, row in self.arch.parents.items()}

    def mix(self) -> Mix:
        """Returns the gates of a drawn path: 0 or 1, with the gradients of their probabilities."""
        ops, parents = self._draw()
        gates = {node: _gate(logits, torch.tensor(parents[node])) for node, logits in self.arch.parents.items()}
        *inputs, output = (self._edges(node, gates.get(node)) for node in range(1, self.parts.cell_space.n_nodes + 2))
        return Mix(_gate(self.arch.ops, ops), output, tuple(inputs), gates=True)

    def _edges(self, node: int, gate: Tensor | None) -> Tensor:
        """Returns the weight of every possible parent of ``node``: the gates of the sets that it is in."""
        choices = self.parts.cell_space.parent_choices[node - 1]
        members = torch.tensor([[float(i in choice) for i in range(node)] for choice in choices], device=self.device)
        return members[0] if gate is None else gate @ members

    def weight_mix(self) -> Path:
        """Returns a drawn path."""
        return Path(self.arch.choose(*self._draw()))

    def eval_mix(self) -> Path:
        """Returns the path of the most probable cell."""
        return Path(next(self.arch.cells()))

    def arch_step(self, train: Batch, valid: Batch) -> None:
        """One step of Adam every ``arch_every`` weight steps."""
        self._steps += 1
        if self._steps % self.settings.arch_every == 0:
            super().arch_step(train, valid)

    def state(self) -> dict[str, Any]:
        """Returns what a gradient-based optimizer has, and the number of weight steps."""
        return {**super().state(), "steps": self._steps}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes back to them."""
        super().load_state(state)
        self._steps = state["steps"]


def _gate(logits: Tensor, drawn: Tensor) -> Tensor:
    """Returns 1 for what was drawn and 0 for the rest, with the gradient of the softmax (equation 4)."""
    probabilities = torch.softmax(logits, -1)
    one_hot = torch.nn.functional.one_hot(drawn.to(logits.device), logits.shape[-1]).to(probabilities)
    return one_hot + (probabilities - probabilities.detach())
