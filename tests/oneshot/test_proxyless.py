from __future__ import annotations

from collections import Counter

import pytest
import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.oneshot.proxyless import Proxyless
from metaopt.oneshot.supernet.mix import Path
from searches import batches, small_search


def build(cell_space: int = 1, **settings: float) -> Proxyless:
    proxyless = small_search("proxyless", cell_space=cell_space, **settings).optimizer
    assert isinstance(proxyless, Proxyless)
    return proxyless


@pytest.mark.parametrize("cell_space", CELL_SPACES)
def test_drawn_paths_are_cells_of_the_space(cell_space: int) -> None:
    proxyless = build(cell_space)
    space = CELL_SPACES[cell_space]
    for _ in range(20):
        cell = proxyless.weight_mix().cell
        assert all(parents in choices for parents, choices in zip(cell.parents, space.parent_choices, strict=True))


def test_choices_are_drawn_with_their_probabilities() -> None:
    proxyless = build()
    with torch.no_grad():
        proxyless.arch.ops[0] = torch.tensor([0.6, 0.3, 0.1]).log()
        proxyless.arch.parents[3][:] = torch.tensor([0.1, 0.1, 0.8]).log()
    paths = [proxyless.weight_mix() for _ in range(1500)]
    ops = Counter(path.ops[0] for path in paths)
    parents = Counter(path.cell.parents[2] for path in paths)
    assert [ops[k] / 1500 for k in range(3)] == pytest.approx([0.6, 0.3, 0.1], abs=0.05)
    assert parents[(1, 2)] / 1500 == pytest.approx(0.8, abs=0.05)


def test_gates_are_a_path_with_the_gradient_of_its_probabilities() -> None:
    """dL/da_i = sum_j dL/dg_j p_j (delta_ij - p_i), for the operations of one block by hand."""
    search = small_search("proxyless")
    proxyless = search.optimizer
    assert isinstance(proxyless, Proxyless)
    search.supernet.train()
    _, (images, labels) = batches(search)
    mix = proxyless.mix()
    assert mix.gates
    assert set(mix.ops.detach().flatten().tolist()) == {0.0, 1.0}
    mix.ops.retain_grad()
    loss = torch.nn.functional.cross_entropy(search.supernet(images, mix), labels)
    loss.backward()
    gate, p = mix.ops.grad, torch.softmax(proxyless.arch.ops.detach(), 1)
    assert gate is not None
    expected = p * (gate - (p * gate).sum(1, keepdim=True))
    torch.testing.assert_close(proxyless.arch.ops.grad, expected, rtol=1e-3, atol=1e-7)


def test_gradients_reach_every_logit_over_a_few_paths() -> None:
    """A block that a path leaves out has none on that path."""
    search = small_search("proxyless")
    proxyless = search.optimizer
    assert isinstance(proxyless, Proxyless)
    search.supernet.train()
    train, valid = batches(search)
    sums = [
        sum(g.abs() for g in per)
        for per in zip(*(proxyless.arch_gradients(train, valid) for _ in range(8)), strict=True)
    ]
    assert all((total > 0).all() for total in sums)


def test_the_gates_of_a_path_classify_as_the_path() -> None:
    search = small_search("proxyless")
    proxyless = search.optimizer
    assert isinstance(proxyless, Proxyless)
    search.supernet.train()
    _, (images, _) = batches(search)
    state = proxyless.parts.generator.get_state()
    dense = search.supernet(images, proxyless.mix())
    proxyless.parts.generator.set_state(state)
    path = proxyless.weight_mix()
    assert isinstance(path, Path)
    torch.testing.assert_close(search.supernet(images, path), dense, rtol=1e-3, atol=1e-4)


def test_the_architecture_moves_every_few_weight_steps() -> None:
    search = small_search("proxyless", warm_start=0.0, arch_every=2)
    proxyless = search.optimizer
    assert isinstance(proxyless, Proxyless)
    train, valid = batches(search)
    moved = []
    for _ in range(4):
        before = proxyless.arch.ops.detach().clone()
        proxyless.arch_step(train, valid)
        moved.append(not torch.equal(before, proxyless.arch.ops))
    assert moved == [False, True, False, True]
