"""DARTS, first order (Liu, Simonyan and Yang 2019, Algorithm 1 with xi = 0), as 1Shot1 runs it on its cell spaces.

Architecture parameters follow the gradient of the validation loss under the current weights; the cell is made of the
largest of them. With ``perturb`` it is SDARTS-RS (Chen and Hsieh 2020, section 3.2): the weights learn under a mix that
is shaken at random, so that they do not depend on its exact values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from metaopt.oneshot.arch import ArchParameters
from metaopt.oneshot.gradient import GradientOptimizer, GradientSettings
from metaopt.oneshot.mix import Mix
from metaopt.oneshot.settings import bounded


@dataclass(frozen=True, kw_only=True)
class DartsSettings(GradientSettings):
    """Settings of DARTS and of what mixes like it; defaults of the released code of Chen and Hsieh 2020.

    Attributes:
        perturb: Whether the weights learn under a perturbed mix.
        perturb_start: Largest change of a weight of the mix in the first epoch; goes on linearly.
        perturb_end: The same at the end of the search.
    """

    perturb: bool = False
    perturb_start: float = bounded(0.03, 0, 1)
    perturb_end: float = bounded(0.3, 0, 1)


class Darts(GradientOptimizer):
    """First-order DARTS."""

    Settings = DartsSettings
    settings: DartsSettings
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
        shaken = (weights + noise.to(weights)).clamp(0, 1)
        total = shaken.sum(-1, keepdim=True)
        largest = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights)
        return torch.where(total > 0, shaken / total.clamp_min(1e-12), largest)
