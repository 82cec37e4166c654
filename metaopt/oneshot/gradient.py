"""What gradient-based optimizers share: parameters of the architecture, moved by Adam along a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from metaopt.cells.space import Cell
from metaopt.oneshot.arch import ArchParameters
from metaopt.oneshot.base import Batch, OneShotOptimizer, SearchParts
from metaopt.oneshot.settings import SearchSettings, bounded


@dataclass(frozen=True, kw_only=True)
class GradientSettings(SearchSettings):
    """Settings of gradient-based optimizers; defaults of DARTS (Liu et al. 2019, section 3.1 and appendix A.1.1).

    Attributes:
        arch_learning_rate: Of the architecture's Adam.
        arch_weight_decay: L2 penalty on the architecture's parameters.
        warm_start: Share of the epochs, from the first one on, in which the architecture rests.
    """

    arch_learning_rate: float = bounded(3e-4, 0)
    arch_weight_decay: float = bounded(1e-3, 0)
    warm_start: float = bounded(0.0, 0, 1)


class Architecture(Protocol):
    """Unconstrained parameters that stand for a cell."""

    @property
    def tensors(self) -> list[Tensor]:
        """All of them."""

    def cell(self) -> Cell:
        """Returns the strongest cell."""

    def to_json(self) -> dict[str, Any]:
        """Returns them as plain values."""


class GradientOptimizer(OneShotOptimizer):
    """Moves :attr:`arch` by Adam; a subclass says how to mix."""

    Settings = GradientSettings
    settings: GradientSettings
    betas: ClassVar[tuple[float, float]] = (0.5, 0.999)  # Liu et al. 2019, appendix A.1.1

    def __init__(self, parts: SearchParts, settings: GradientSettings) -> None:
        super().__init__(parts, settings)
        self.arch: Architecture = self.draw_architecture()
        self.arch_optim = torch.optim.Adam(
            self.arch.tensors,
            lr=settings.arch_learning_rate,
            betas=self.betas,
            weight_decay=settings.arch_weight_decay,
        )

    @property
    def device(self) -> torch.device:
        """Where the search runs."""
        return self.parts.supernet.head.weight.device

    def draw_architecture(self) -> Architecture:
        """Returns the parameters that the search starts from."""
        return ArchParameters.draw(self.parts.space, self.parts.generator, self.device)

    def valid_loss(self, valid: Batch) -> Tensor:
        """Returns the loss that the architecture is to lower: cross-entropy under :meth:`mix`."""
        images, labels = valid
        return F.cross_entropy(self.parts.supernet(images, self.mix()), labels)

    def arch_gradients(self, train: Batch, valid: Batch) -> Sequence[Tensor]:
        """Returns the gradient of the validation loss, one tensor per tensor of :attr:`arch`."""
        return torch.autograd.grad(self.valid_loss(valid), self.arch.tensors)

    def arch_step(self, train: Batch, valid: Batch) -> None:
        """One step of Adam, unless the architecture still rests."""
        if self.elapsed < self.settings.warm_start:
            return
        for parameter, gradient in zip(self.arch.tensors, self.arch_gradients(train, valid), strict=True):
            parameter.grad = gradient
        self.arch_optim.step()

    def cell(self) -> Cell:
        """Returns the cell of the largest parameters (1Shot1, section 3)."""
        return self.arch.cell()

    def arch_to_json(self) -> dict[str, Any]:
        """Returns the parameters as plain values."""
        return self.arch.to_json()

    def state(self) -> dict[str, Any]:
        """Returns parameters, Adam's moments and the state of the generator."""
        return {
            "arch": [tensor.detach().clone() for tensor in self.arch.tensors],
            "arch_optim": deepcopy(self.arch_optim.state_dict()),
            "generator": self.parts.generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes back to them."""
        with torch.no_grad():
            for tensor, kept in zip(self.arch.tensors, state["arch"], strict=True):
                tensor.copy_(kept)
        self.arch_optim.load_state_dict(deepcopy(state["arch_optim"]))
        self.parts.generator.set_state(state["generator"])
