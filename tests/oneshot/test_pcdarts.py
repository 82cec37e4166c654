from __future__ import annotations

import pytest

from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError
from metaopt.oneshot.pcdarts import PcDarts, PcDartsSettings
from metaopt.oneshot.supernet.supernet import Supernet, SupernetScale


@pytest.mark.parametrize(("cell_space", "parameters"), [(1, 492_570), (2, 492_570), (3, 748_554)])
def test_parameters_at_the_published_scale(cell_space: int, parameters: int) -> None:
    block = PcDarts.block(PcDartsSettings())
    supernet = Supernet(CELL_SPACES[cell_space], SupernetScale(16, 9), in_channels=3, classes=10, block=block)
    assert sum(p.numel() for p in supernet.parameters()) == parameters


def test_k_that_does_not_divide_the_channels_is_refused() -> None:
    with pytest.raises(ConfigError, match="partial_channels 4 does not divide the supernet's 6 channels") as caught:
        PcDarts.block(PcDartsSettings(partial_channels=4))(6, 0.1)
    assert "1, 2, 3, 6" in caught.value.hint
