from __future__ import annotations

from collections import Counter

import numpy as np
import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.images import digits
from metaopt.oneshot.randomws import RandomWs
from metaopt.oneshot.supernet.mix import MIXED_OPS
from metaopt.oneshot.supernet.supernet import SupernetScale
from metaopt.oneshot.train import Search


def search() -> Search:
    return Search(
        RandomWs,
        CELL_SPACES[1],
        digits(),
        scale=SupernetScale(4, 3),
        settings=RandomWs.Settings(),
        seed=0,
        device=torch.device("cpu"),
    )


def test_paths_are_uniform() -> None:
    optimizer = search().optimizer
    cells = [optimizer.weight_mix().cell for _ in range(3_000)]
    for block in range(4):
        shares = Counter(cell.ops[block] for cell in cells)
        assert all(abs(shares[op] / 3_000 - 1 / 3) < 0.03 for op in MIXED_OPS)
    for node, choices in enumerate(CELL_SPACES[1].parent_choices):
        shares = Counter(cell.parents[node] for cell in cells)
        assert all(abs(shares[parents] / 3_000 - 1 / len(choices)) < 0.03 for parents in choices)


def test_a_weight_step_trains_the_drawn_path_only() -> None:
    run = search()
    drawn = []
    mix = run.optimizer.weight_mix
    run.optimizer.weight_mix = lambda: drawn.append(mix()) or drawn[-1]  # type: ignore[method-assign]
    before = {name: weight.detach().clone() for name, weight in run.supernet.named_parameters()}
    images, labels = next(run.weight_half.batches(64, np.random.default_rng(0)))
    run._weight_step(images, labels)
    (path,) = drawn
    moved = {name for name, weight in run.supernet.named_parameters() if not torch.equal(weight, before[name])}
    on_path = {(j - 1, path.ops[j - 1] - 1) for j in path.live if path.ops[j - 1]}
    expected = {f"cells.{cell}.blocks.{j}.convs.{k}.weight" for cell in range(3) for j, k in on_path}
    assert {name for name in moved if ".convs." in name} == expected
    assert expected
