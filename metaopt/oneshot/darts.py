"""DARTS, first order (Liu, Simonyan and Yang 2019, Algorithm 1 with xi = 0), as 1Shot1 runs it on its cell spaces.

Architecture parameters follow the gradient of the validation loss under the current weights; the cell is made of the
largest of them. With ``perturb`` it is SDARTS-RS (Chen and Hsieh 2020, section 3.2): the weights learn under a mix that
is shaken at random, so that they do not depend on its exact values. With ``selection: perturbation`` it is DARTS-PT
(Wang et al. 2021): the cell is made of what the supernet misses most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from metaopt.cells.space import CellSpace
from metaopt.oneshot.gradient import GradientOptimizer, GradientSettings
from metaopt.oneshot.projection import Projection, decisions
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.mix import Mix
from metaopt.settings.field import field


@dataclass(frozen=True, kw_only=True)
class DartsSettings(GradientSettings):
    """Settings of DARTS and of what mixes like it; defaults of the released codes of SDARTS-RS and DARTS-PT.

    Attributes:
        perturb: Whether the weights learn under a perturbed mix.
        perturb_start: Largest change of a weight of the mix in the first epoch; goes on linearly.
        perturb_end: The same at the end of the search.
        selection: How the final cell is found: of the largest parameters, or by ``perturbation``.
        projection_epochs: Further epochs between two decisions of the latter.
    """

    perturb: bool = False
    perturb_start: float = field(0.03, ge=0, le=1)
    perturb_end: float = field(0.3, ge=0, le=1)
    selection: str = field("argmax", choices=("argmax", "perturbation"))
    projection_epochs: int = field(5, ge=0)

    def dearest_epochs(self, cell_space: CellSpace, epochs: int) -> int:
        """Returns the epochs of the search with those between any two decisions of the selection."""
        between = 0 if self.selection == "argmax" else sum(map(len, decisions(cell_space))) - 1
        return super().dearest_epochs(cell_space, epochs) + between * self.projection_epochs


class Darts(GradientOptimizer):
    """First-order DARTS."""

    Settings = DartsSettings
    settings: DartsSettings
    averages = True
    arch: ArchParameters

    def mix(self) -> Mix:
        """Returns the softmax of all parameters (Liu et al. 2019, equation 2)."""
        return self.arch.softmax()

    def weight_mix(self) -> Mix:
        """Returns the softmax, perturbed uniformly if the settings say so (Chen and Hsieh 2020, equation 8)."""
        if not self.settings.perturb:
            return self.mix()
        low, high = self.settings.perturb_start, self.settings.perturb_end
        strength = low + (high - low) * self.elapsed
        return self.arch.mapped(lambda row: self._shaken(torch.softmax(row, -1), strength))

    def _shaken(self, weights: Tensor, strength: float) -> Tensor:
        noise = (2 * torch.rand(weights.shape, generator=self.parts.generator) - 1) * strength
        shaken = (weights + noise.to(weights)).clamp(0, 1) * (weights > 0)  # what is closed stays closed
        total = shaken.sum(-1, keepdim=True)
        largest = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights)
        return torch.where(total > 0, shaken / total.clamp_min(1e-12), largest)

    def select(self) -> Iterator[int]:
        """Decides one thing after the other if the settings say so, and asks for epochs in between."""
        if self.settings.selection == "argmax":
            return
        projection = Projection(self.arch, self.parts.evaluation, self.parts.generator)
        while projection.waiting:
            self.validation_passes += projection.decide()
            if projection.waiting:
                yield self.settings.projection_epochs
