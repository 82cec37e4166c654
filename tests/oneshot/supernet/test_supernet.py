from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from metaopt.cells.space import CELL_SPACES, Cell
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.mix import Mix, Path
from metaopt.oneshot.supernet.partial import PartialBlock
from metaopt.oneshot.supernet.supernet import BlockFactory, ChoiceBlock, MixedCell, Supernet, SupernetScale

CPU = torch.device("cpu")


def build(cell_space: int, scale: SupernetScale, in_channels: int = 1) -> tuple[Supernet, ArchParameters]:
    torch.manual_seed(0)
    space = CELL_SPACES[cell_space]
    supernet = Supernet(space, scale, in_channels=in_channels, classes=10)
    return supernet, ArchParameters.draw(space, torch.Generator().manual_seed(0), CPU)


@pytest.mark.parametrize(("cell_space", "parameters"), [(1, 1_101_402), (2, 1_101_402), (3, 1_509_594)])
def test_parameters_at_the_published_scale(cell_space: int, parameters: int) -> None:
    supernet, _ = build(cell_space, SupernetScale(channels=16, cells=9), in_channels=3)
    assert sum(p.numel() for p in supernet.parameters()) == parameters


def test_resolution_halves_before_a_third_and_two_thirds() -> None:
    supernet, arch = build(1, SupernetScale(channels=2, cells=9), in_channels=3)
    sizes: list[torch.Size] = []
    for cell in supernet.cells:
        cell.register_forward_hook(lambda _m, _i, out: sizes.append(out.shape[1:]))
    supernet(torch.zeros(2, 3, 32, 32), arch.softmax())
    assert [tuple(size) for size in sizes] == [(8, 32, 32)] * 3 + [(16, 16, 16)] * 3 + [(32, 8, 8)] * 3


def test_a_cell_by_hand() -> None:
    """The fused cell against a restatement with one module call per edge and per operation."""
    torch.manual_seed(3)
    n, c_in, c = 4, 5, 3
    cell = MixedCell(n, c_in, c, 0.1).double()
    x = torch.randn(2, c_in, 6, 6, dtype=torch.float64)
    mix = Mix(
        torch.rand(n, 3, dtype=torch.float64),
        torch.rand(n + 1, dtype=torch.float64),
        tuple(torch.rand(j, dtype=torch.float64) for j in range(1, n + 1)),
    )

    def project(rows: slice) -> torch.Tensor:
        y = nn.functional.conv2d(x, cell.project.weight[rows])
        return nn.functional.batch_norm(y, None, None, training=True).relu()

    nodes: list[torch.Tensor] = []
    for j, block in enumerate(cell.blocks):
        incoming = mix.inputs[j][0] * project(slice(j * c, (j + 1) * c))
        incoming = incoming + sum(w * node for w, node in zip(mix.inputs[j][1:], nodes, strict=True))
        ops = [
            nn.functional.max_pool2d(incoming, 3, 1, 1),
            *(nn.functional.batch_norm(conv(incoming), None, None, training=True).relu() for conv in block.convs),
        ]
        nodes.append(sum(w * op for w, op in zip(mix.ops[j], ops, strict=True)))
    weighted = [w * node for w, node in zip(mix.output[1:], nodes, strict=True)]
    expected = mix.output[0] * project(slice(n * c, None)) + torch.cat(weighted, dim=1)
    torch.testing.assert_close(cell(x, mix), expected)


def test_gradients_reach_every_architecture_weight() -> None:
    supernet, arch = build(3, SupernetScale(channels=4, cells=3))
    images = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    nn.functional.cross_entropy(supernet(images, arch.softmax()), torch.arange(16) % 10).backward()
    for tensor in arch.tensors:
        assert tensor.grad is not None
        assert (tensor.grad != 0).all()


def test_a_mix_per_cell() -> None:
    supernet, arch = build(1, SupernetScale(channels=4, cells=3))
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    supernet.eval()
    mix = arch.softmax()
    torch.testing.assert_close(supernet(images, [mix] * 3), supernet(images, mix))
    silent = Mix(torch.zeros_like(mix.ops), mix.output, mix.inputs)
    assert not torch.allclose(supernet(images, [mix, mix, silent]), supernet(images, mix))


@pytest.mark.parametrize(("batch_norm", "momentum"), [("recalibrated", 0.1), ("running", 0.003), ("published", 0.997)])
def test_momentum_of_batch_norm(batch_norm: str, momentum: float) -> None:
    supernet, _ = build(1, SupernetScale(4, 3, batch_norm))  # type: ignore[arg-type]
    norms = [m for m in supernet.modules() if isinstance(m, nn.BatchNorm2d) and m.affine]
    assert {norm.momentum for norm in norms} == {momentum}


def test_recalibration_takes_the_statistics_of_the_images() -> None:
    supernet, arch = build(1, SupernetScale(4, 3))
    images = torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    norm = supernet.stem[1]
    supernet.recalibrate(images.split(32), arch.softmax())
    features = supernet.stem[0](images).detach()
    torch.testing.assert_close(norm.running_mean, features.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(norm.running_var, features.var(dim=(0, 2, 3)), rtol=1e-3, atol=0)
    assert norm.momentum == 0.1
    supernet.eval()
    with torch.no_grad():
        once = supernet(images, arch.softmax())
        supernet.train()
        torch.testing.assert_close(supernet(images, arch.softmax()), once, rtol=0.2, atol=0.2)


@pytest.mark.parametrize("size", [1, 3, 7, 50, 64, 100, 101])
def test_every_image_counts_alike_whichever_batch_it_is_in(size: int) -> None:
    """Of the stem, which sees the images themselves; brightness grows along them, so that batches differ."""
    supernet, arch = build(1, SupernetScale(4, 3))
    images = torch.randn(101, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    images += torch.linspace(0, 3, 101).view(-1, 1, 1, 1)
    norm = supernet.stem[1]
    supernet.recalibrate([images], arch.softmax())
    mean, var = norm.running_mean.clone(), norm.running_var.clone()
    supernet.recalibrate(images.split(size), arch.softmax())
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, var, rtol=0.02, atol=0)


def as_mix(cell: Cell, mean: bool) -> Mix:
    """The 0/1 weights that stand for a cell, everything computed."""
    ops = nn.functional.one_hot(torch.tensor(Path(cell).ops), 3).double()
    rows = []
    for node, parents in enumerate(cell.parents, start=1):
        weight = 1 / len(parents) if mean and len(parents) < node else 1.0
        rows.append(torch.tensor([weight if i in parents else 0.0 for i in range(node)], dtype=torch.float64))
    *inputs, output = rows
    return Mix(ops, output, tuple(inputs))


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("block", [ChoiceBlock, partial(PartialBlock, partial_channels=2)])
@pytest.mark.parametrize("cell_space", CELL_SPACES)
def test_a_path_is_the_mix_of_its_cell(cell_space: int, block: BlockFactory, mean: bool) -> None:
    """Logits, gradients of what is on the path, and statistics, whether or not the rest is computed."""
    torch.manual_seed(0)
    space = CELL_SPACES[cell_space]
    ours = Supernet(space, SupernetScale(4, 3), in_channels=1, classes=10, block=block)
    whole = Supernet(space, SupernetScale(4, 3), in_channels=1, classes=10, block=block)
    ours, whole, start = ours.double(), whole.double(), deepcopy(ours.double().state_dict())
    images = torch.randn(8, 1, 8, 8, dtype=torch.float64)
    rng = np.random.default_rng(0)
    for cell in [space.sample(rng) for _ in range(12)]:
        for net in (ours, whole):
            net.load_state_dict(start)
            net.train()
            net.zero_grad()
        logits, expected = ours(images, Path(cell, mean)), whole(images, as_mix(cell, mean))
        torch.testing.assert_close(logits, expected)
        for each in (logits, expected):
            each.square().mean().backward()
        for name, weight in ours.named_parameters():
            other = whole.get_parameter(name).grad
            if weight.grad is not None and other is not None:
                torch.testing.assert_close(weight.grad, other)
        for net in (ours, whole):
            net.eval()
        # Both have seen one batch; a path leaves the statistics alone that it does not need.
        with torch.no_grad():
            torch.testing.assert_close(ours(images, Path(cell, mean)), whole(images, as_mix(cell, mean)))


def test_a_chosen_operation_is_the_only_one_computed() -> None:
    supernet, arch = build(1, SupernetScale(4, 3))
    images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    soft = arch.softmax()
    one_hot = nn.functional.one_hot(torch.tensor([0, 1, 2, 1]), 3).float()
    hard = replace(soft, ops=one_hot)
    expected = supernet(images, hard)
    block = supernet.cells[0].blocks[0]
    for name, parameter in block.named_parameters():
        assert name
        parameter.data.fill_(float("nan"))
    torch.testing.assert_close(supernet(images, replace(hard, chosen=(0, 1, 2, 1))), expected)
    assert supernet(images, hard).isnan().all()


def test_a_gate_of_zero_has_its_gradient() -> None:
    """Which folding loses: a block is linear in its weights, so the gradient of one is its operation's output."""
    torch.manual_seed(0)
    block, x = ChoiceBlock(3, 0.1).double(), torch.randn(4, 3, 5, 5, dtype=torch.float64)
    weights = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64, requires_grad=True)
    gated, folded = (torch.autograd.grad(block(x, weights, fold=fold).sum(), weights)[0] for fold in (False, True))
    outputs = torch.stack([block(x, None, chosen).sum() for chosen in range(3)])
    torch.testing.assert_close(gated, outputs)
    assert folded[1:].tolist() == [0, 0]
    torch.testing.assert_close(folded[0], outputs[0])


def test_drop_path_keeps_the_mean_and_rests_in_evaluation() -> None:
    supernet, arch = build(1, SupernetScale(4, 3))
    supernet.drop_path_prob = 0.3
    kept = supernet._keep(20_000)
    assert kept.shape == (3, 4, 20_000)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert kept.mean().item() == pytest.approx(1, abs=0.02)
    images, mix = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(1)), arch.softmax()
    assert not torch.equal(supernet(images, mix), supernet(images, mix))
    supernet.eval()
    assert torch.equal(supernet(images, mix), supernet(images, mix))
