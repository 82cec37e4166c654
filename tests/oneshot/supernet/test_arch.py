from __future__ import annotations

import pytest
import torch

from metaopt.cells.space import CELL_SPACES
from metaopt.oneshot.supernet.arch import ArchParameters


def draw(cell_space: int, seed: int = 0) -> ArchParameters:
    return ArchParameters.draw(CELL_SPACES[cell_space], torch.Generator().manual_seed(seed), torch.device("cpu"))


@pytest.mark.parametrize(("cell_space", "numbers"), [(1, 24), (2, 26), (3, 35)])
def test_number_of_parameters(cell_space: int, numbers: int) -> None:
    arch = draw(cell_space)
    assert sum(t.numel() for t in arch.tensors) == numbers
    assert all(t.requires_grad and t.is_leaf for t in arch.tensors)
    assert torch.cat([t.detach().flatten() for t in arch.tensors]).abs().max() < 0.01


@pytest.mark.parametrize("cell_space", CELL_SPACES)
def test_softmax_sums_to_one_where_there_is_a_choice(cell_space: int) -> None:
    arch = draw(cell_space)
    mix = arch.softmax()
    torch.testing.assert_close(mix.ops.sum(1), torch.ones(len(mix.ops)))
    torch.testing.assert_close(mix.output.sum(), torch.tensor(1.0))
    for j, weights in enumerate(mix.inputs, start=1):
        assert weights.shape == (j,)
        assert weights.sum().item() == pytest.approx(1.0 if j in arch.inputs else j)


def test_the_strongest_cell() -> None:
    arch = draw(1)
    with torch.no_grad():
        arch.ops.copy_(torch.tensor([[9.0, 0, 0], [0, 9, 0], [0, 0, 9], [0, 9, 0]]))
        arch.output.copy_(torch.tensor([5.0, 0, 4, 0, 0]))
        arch.inputs[3].copy_(torch.tensor([0.0, 2, 1]))
        arch.inputs[4].copy_(torch.tensor([3.0, 0, 0, 4]))
    cell = next(arch.cells())
    assert cell.ops == ("maxpool3x3", "conv3x3", "conv1x1", "conv3x3")
    assert cell.parents == ((0,), (0, 1), (1, 2), (0, 3), (0, 2))


def test_plain_values() -> None:
    rows = draw(1).to_json()
    assert [len(rows[name]) for name in ("ops", "output", "inputs")] == [4, 1, 2]
    assert all(isinstance(x, float) for name in rows for row in rows[name] for x in row)
    assert sum(rows["output"][0]) == pytest.approx(1.0, abs=1e-5)


def test_what_is_closed_has_no_weight_no_gradient_and_no_place_in_the_cell() -> None:
    arch = draw(1)
    with torch.no_grad():
        arch.ops[1, 2], arch.output[3] = 9.0, 9.0
    assert (next(arch.cells()).ops[1], 3 in next(arch.cells()).parents[-1]) == ("conv1x1", True)
    arch.closed.ops[1, 2] = arch.closed.output[3] = True
    assert next(arch.cells()).ops[1] != "conv1x1"
    assert 3 not in next(arch.cells()).parents[-1]
    mix = arch.softmax()
    assert mix.ops[1, 2] == 0
    assert mix.ops[1].sum().item() == pytest.approx(1)
    assert mix.output[3] == 0
    (mix.ops[1, 0] + mix.output[0]).backward()
    assert arch.ops.grad is not None
    assert arch.ops.grad[1, 2] == 0
    assert arch.ops.grad[1, 0] != 0
