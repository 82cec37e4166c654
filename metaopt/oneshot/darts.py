"""DARTS, first order (Liu, Simonyan and Yang 2019, Algorithm 1 with xi = 0), as 1Shot1 runs it on its cell spaces.

Architecture parameters follow the gradient of the validation loss under the current weights; the cell is made of the
largest of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from metaopt.cells.space import Cell, CellSpace
from metaopt.oneshot.arch import ArchParameters
from metaopt.oneshot.base import Batch, OneShotOptimizer, SearchSettings
from metaopt.oneshot.supernet import Mix, Supernet


@dataclass(frozen=True, kw_only=True)
class DartsSettings(SearchSettings):
    """Settings of DARTS; defaults of Liu et al. 2019, section 3.1 and appendix A.1.1.

    Attributes:
        arch_learning_rate: Of the architecture's Adam.
        arch_weight_decay: L2 penalty on the architecture's parameters.
    """

    arch_learning_rate: float = 3e-4
    arch_weight_decay: float = 1e-3


class Darts(OneShotOptimizer):
    """First-order DARTS."""

    Settings = DartsSettings

    def __init__(
        self, space: CellSpace, supernet: Supernet, settings: DartsSettings, generator: torch.Generator
    ) -> None:
        super().__init__(space, supernet, settings, generator)
        self.arch = ArchParameters.draw(space, generator, supernet.head.weight.device)
        self.arch_optim = torch.optim.Adam(
            self.arch.tensors,
            lr=settings.arch_learning_rate,
            betas=(0.5, 0.999),  # Liu et al. 2019, appendix A.1.1
            weight_decay=settings.arch_weight_decay,
        )

    def mix(self) -> Mix:
        """Returns the softmax of all parameters (Liu et al. 2019, equation 2)."""
        return self.arch.softmax()

    def arch_step(self, train: Batch, valid: Batch) -> None:
        """One step of Adam on the validation loss (Liu et al. 2019, equation 5 with xi = 0)."""
        images, labels = valid
        loss = F.cross_entropy(self.supernet(images, self.mix()), labels)
        gradients = torch.autograd.grad(loss, self.arch.tensors)
        for parameter, gradient in zip(self.arch.tensors, gradients, strict=True):
            parameter.grad = gradient
        self.arch_optim.step()

    def cell(self) -> Cell:
        """Returns the cell of the largest parameters (1Shot1, section 3)."""
        return self.arch.cell()

    def arch_to_json(self) -> dict[str, Any]:
        """Returns the softmax of all parameters."""
        return self.arch.to_json()
