from __future__ import annotations

import torch
from torch.nn import functional as F  # noqa: N812

from metaopt.cells.space import CELL_SPACES
from metaopt.images import digits
from metaopt.oneshot.darts import Darts, DartsSettings
from metaopt.oneshot.supernet import SupernetScale
from metaopt.oneshot.train import Search


def test_one_step_of_adam_on_the_validation_loss_by_hand() -> None:
    settings = DartsSettings(arch_learning_rate=0.01, arch_weight_decay=0.1)
    search = Search(
        Darts,
        CELL_SPACES[1],
        digits(),
        scale=SupernetScale(4, 3),
        settings=settings,
        seed=0,
        device=torch.device("cpu"),
    )
    darts = search.optimizer
    assert isinstance(darts, Darts)
    valid = search.arch_half.images[:64], search.arch_half.labels[:64]
    train = search.weight_half.images[:64], search.weight_half.labels[:64]
    before = [t.detach().clone() for t in darts.arch.tensors]
    loss = F.cross_entropy(search.supernet(valid[0], darts.mix()), valid[1])
    gradients = torch.autograd.grad(loss, darts.arch.tensors)
    darts.arch_step(train, valid)
    for old, new, gradient in zip(before, darts.arch.tensors, gradients, strict=True):
        decayed = gradient + 0.1 * old
        # Adam's first step: both moments are unbiased to the gradient itself
        expected = old - 0.01 * decayed / (decayed.abs() + 1e-8)
        torch.testing.assert_close(new.detach(), expected, rtol=1e-4, atol=1e-6)
    assert all(p.grad is None for p in search.supernet.parameters())
