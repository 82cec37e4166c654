from __future__ import annotations

import pytest
import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError
from metaopt.oneshot.pcdarts import PartialBlock, PcDarts, PcDartsSettings
from metaopt.oneshot.supernet.supernet import ChoiceBlock, Supernet, SupernetScale


@pytest.mark.parametrize(("cell_space", "parameters"), [(1, 492_570), (2, 492_570), (3, 748_554)])
def test_parameters_at_the_published_scale(cell_space: int, parameters: int) -> None:
    block = PcDarts.block(PcDartsSettings())
    supernet = Supernet(CELL_SPACES[cell_space], SupernetScale(16, 9), in_channels=3, classes=10, block=block)
    assert sum(p.numel() for p in supernet.parameters()) == parameters


def test_one_channel_of_k_passes_the_operations_and_all_change_places() -> None:
    torch.manual_seed(0)
    block, weights = PartialBlock(8, 0.1, 4), torch.tensor([0.2, 0.5, 0.3])
    x = torch.randn(2, 8, 4, 4)
    y = block(x, weights)
    mixed = block.block(x[:, :2], weights)
    torch.testing.assert_close(y[:, [0, 4]], mixed)
    for group in (1, 2, 3):
        torch.testing.assert_close(y[:, [group, group + 4]], x[:, 2 * group : 2 * group + 2])


def test_k_of_one_is_an_ordinary_block() -> None:
    torch.manual_seed(0)
    block, plain = PartialBlock(4, 0.1, 1), ChoiceBlock(4, 0.1)
    plain.load_state_dict(block.block.state_dict())
    x, weights = torch.randn(2, 4, 4, 4), torch.tensor([0.2, 0.5, 0.3])
    torch.testing.assert_close(block(x, weights), plain(x, weights))


def test_k_that_does_not_divide_the_channels_is_refused() -> None:
    with pytest.raises(ConfigError, match="partial_channels 4 does not divide the supernet's 6 channels") as caught:
        PcDarts.block(PcDartsSettings(partial_channels=4))(6, 0.1)
    assert "1, 2, 3, 6" in caught.value.hint
