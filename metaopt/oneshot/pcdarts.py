"""PC-DARTS (Xu et al. 2020), as 1Shot1 runs it on its cell spaces: the operations see a part of the channels only.

Partial channels are a setting of every gradient-based optimizer, see :mod:`metaopt.oneshot.supernet.partial`. Edge
normalization (section 3.3) is what the softmax over a node's inputs does here anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from metaopt.oneshot.darts import Darts, DartsSettings
from metaopt.settings.field import field


@dataclass(frozen=True, kw_only=True)
class PcDartsSettings(DartsSettings):
    """Settings of PC-DARTS; the paper rests the architecture for 15 of 50 epochs, 1Shot1 does not.

    Attributes:
        partial_channels: K: one of K channels passes the operations (section 4.2: 4).
    """

    partial_channels: int = field(4, ge=1)
    added: ClassVar[frozenset[str]] = frozenset()


class PcDarts(Darts):
    """First-order DARTS on partial channels."""

    Settings = PcDartsSettings
