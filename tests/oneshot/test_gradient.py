from __future__ import annotations

import torch

from metaopt.oneshot.gradient import GradientOptimizer
from searches import batches, small_search


def test_the_architecture_rests_during_the_warm_start() -> None:
    search = small_search("darts", warm_start=0.5)
    optimizer = search.optimizer
    assert isinstance(optimizer, GradientOptimizer)
    start = optimizer.arch.tensors[0].detach().clone()
    moved = [not torch.equal(optimizer.arch.tensors[0], start) for _ in search.epochs(4)]
    assert moved == [False, False, True, True]


def test_going_back_to_a_state_repeats_the_step() -> None:
    search = small_search("gdas", arch_learning_rate=0.1)
    optimizer = search.optimizer
    assert isinstance(optimizer, GradientOptimizer)
    train, valid = batches(search)
    optimizer.arch_step(train, valid)
    kept, ends = search.state(), []
    for _ in range(2):
        search.load_state(kept)
        optimizer.arch_step(train, valid)
        optimizer.arch_step(train, valid)
        ends.append([tensor.detach().clone() for tensor in optimizer.arch.tensors])
    for first, second in zip(*ends, strict=True):
        assert torch.equal(first, second)
