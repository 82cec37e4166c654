from __future__ import annotations

import torch

from metaopt.oneshot.supernet.partial import PartialBlock
from metaopt.oneshot.supernet.supernet import ChoiceBlock


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
