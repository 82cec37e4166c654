"""A small real search on digits, not yet run, for the tests of single optimizers."""

from __future__ import annotations

from typing import Any

import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.core.registry import resolve
from metaopt.images import digits
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.base import Batch
from metaopt.oneshot.supernet.supernet import SupernetScale
from metaopt.oneshot.train import Search

CPU = torch.device("cpu")


def small_search(name: str, *, cell_space: int = 1, channels: int = 4, seed: int = 0, **settings: Any) -> Search:
    optimizer = resolve("one-shot optimizer", ONESHOT, name)
    return Search(
        optimizer,
        CELL_SPACES[cell_space],
        digits(),
        scale=SupernetScale(channels, 3),
        settings=optimizer.Settings.from_config(settings),
        seed=seed,
        device=CPU,
    )


def batches(search: Search, size: int = 64) -> tuple[Batch, Batch]:
    train, valid = search.weight_half, search.arch_half
    return (train.images[:size], train.labels[:size]), (valid.images[:size], valid.labels[:size])
