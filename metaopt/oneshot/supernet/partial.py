"""Partial channels (PC-DARTS, Xu et al. 2020): the operations of a choice block see some of its channels only.

The first C/K channels of a choice block pass the weighted operations, the others go past them, and a shuffle lets them
change places (section 3.2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaopt.core.errors import ConfigError
from metaopt.oneshot.supernet.supernet import ChoiceBlock


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
