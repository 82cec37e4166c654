"""PC-DARTS (Xu et al. 2020), as 1Shot1 runs it on its cell spaces: the operations see a part of the channels only.

The first C/K channels of a choice block pass the weighted operations, the others go past them, and a shuffle lets them
change places (section 3.2). Edge normalisation (section 3.3) is what the softmax over a node's inputs does here anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaopt.core.errors import ConfigError
from metaopt.oneshot.darts import Darts, DartsSettings
from metaopt.oneshot.settings import SearchSettings
from metaopt.oneshot.supernet.supernet import BlockFactory, ChoiceBlock
from metaopt.settings.field import field


@dataclass(frozen=True, kw_only=True)
class PcDartsSettings(DartsSettings):
    """Settings of PC-DARTS; the paper rests the architecture for 15 of 50 epochs, 1Shot1 does not.

    Attributes:
        partial_channels: K: one of K channels passes the operations (section 4.2: 4).
    """

    partial_channels: int = field(4, ge=1)


class PartialBlock(nn.Module):
    """A choice block on the first C/K channels: (N, C, H, W) -> same.

    Raises:
        ConfigError: if K does not divide C.
    """

    def __init__(self, channels: int, momentum: float, partial_channels: int) -> None:
        super().__init__()
        if channels % partial_channels:
            allowed = ", ".join(str(k) for k in range(1, channels + 1) if channels % k == 0)
            raise ConfigError(
                f"partial_channels {partial_channels} does not divide the supernet's {channels} channels",
                f"choose partial_channels from {allowed}, or change {{--channels}}",
            )
        self.partial_channels, self.width = partial_channels, channels // partial_channels
        self.block = ChoiceBlock(self.width, momentum)

    def forward(self, x: Tensor, weights: Tensor | None, chosen: int | None = None, *, fold: bool = True) -> Tensor:
        """Mixes the operations on the first channels; see :class:`metaopt.oneshot.supernet.supernet.ChoiceBlock`."""
        if self.partial_channels == 1:
            return self.block(x, weights, chosen, fold=fold)  # type: ignore[no-any-return]  # modules are Any
        part, rest = x.split([self.width, x.shape[1] - self.width], dim=1)
        # Once in one piece, and not once for every operation.
        part = part.contiguous(memory_format=torch.channels_last)
        mixed = self.block(part, weights, chosen, fold=fold)
        return F.channel_shuffle(torch.cat([mixed, rest], dim=1), self.partial_channels)


class PcDarts(Darts):
    """First-order DARTS on partial channels."""

    Settings = PcDartsSettings

    @classmethod
    def block(cls, settings: SearchSettings) -> BlockFactory:
        """Returns partial blocks."""
        if not isinstance(settings, PcDartsSettings):
            raise TypeError(f"PC-DARTS takes PcDartsSettings, got {type(settings).__name__}")
        return partial(PartialBlock, partial_channels=settings.partial_channels)
