"""GDAS (Dong and Yang 2019), as 1Shot1 runs it on its cell spaces: operations by hard Gumbel-softmax, wiring by soft.

Every cell draws its own sample in every pass. Only the drawn operation of a block is computed; its weight is 1 with the
gradient of its probability. A hard wiring made gradients explode in 1Shot1's hands, so that edges stay soft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from metaopt.oneshot.base import Batch
from metaopt.oneshot.gradient import GradientOptimizer, GradientSettings
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.mix import Mix
from metaopt.settings.field import field

_TINY = torch.finfo(torch.float32).tiny


@dataclass(frozen=True, kw_only=True)
class GdasSettings(GradientSettings):
    """Settings of GDAS; defaults of 1Shot1's released code.

    Attributes:
        temperature_start: Of the Gumbel-softmax in the first epoch; goes on linearly (Dong and Yang 2019: 10).
        temperature_end: The same at the end of the search (Dong and Yang 2019: 0.1; 1Shot1: 1).
        arch_grad_clip: Largest norm of the architecture's gradient.
    """

    temperature_start: float = field(10.0, gt=0)
    temperature_end: float = field(1.0, gt=0)
    arch_grad_clip: float = field(5.0, gt=0)
    curvature_is_steady: ClassVar[bool] = False


class Gdas(GradientOptimizer):
    """GDAS with one sample per cell and pass."""

    Settings = GdasSettings
    settings: GdasSettings
    averages = True
    arch: ArchParameters

    def mix(self) -> list[Mix]:
        """Returns a fresh sample for every cell."""
        return [self._sample() for _ in range(self.parts.supernet.scale.cells)]

    def _sample(self) -> Mix:
        soft = self.arch.mapped(self._gumbel_softmax)
        chosen = soft.ops.argmax(1)
        hard = torch.nn.functional.one_hot(chosen, soft.ops.shape[1]).to(soft.ops)
        return replace(soft, ops=hard + (soft.ops - soft.ops.detach()), chosen=tuple(chosen.tolist()))

    def _gumbel_softmax(self, row: Tensor) -> Tensor:
        """Returns softmax((log softmax(a) + g) / temperature), g drawn from Gumbel(0, 1) (equation 5)."""
        uniform = torch.rand(row.shape, generator=self.parts.generator).clamp_min(_TINY)
        gumbel = -torch.log((-torch.log(uniform)).clamp_min(_TINY)).to(row)
        return torch.softmax((torch.log_softmax(row, -1) + gumbel) / self.temperature, -1)

    @property
    def temperature(self) -> float:
        """Of the epoch that runs."""
        first, last = self.settings.temperature_start, self.settings.temperature_end
        return first + (last - first) * self.elapsed

    def arch_gradients(self, train: Batch, valid: Batch) -> Sequence[Tensor]:
        """Returns the gradient of the validation loss, clipped."""
        gradients = super().arch_gradients(train, valid)
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        scale = (self.settings.arch_grad_clip / (norm + 1e-6)).clamp_max(1.0)
        return [gradient * scale for gradient in gradients]
