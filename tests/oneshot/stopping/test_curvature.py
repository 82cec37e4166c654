from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from metaopt.cells.space import CELL_SPACES
from metaopt.oneshot.stopping.curvature import dominant_eigenvalue, hessian
from metaopt.oneshot.supernet.arch import ArchParameters
from metaopt.oneshot.supernet.supernet import Supernet, SupernetScale


def build(cell_space: int) -> tuple[Supernet, ArchParameters, Tensor, Tensor]:
    torch.manual_seed(0)
    space = CELL_SPACES[cell_space]
    supernet = Supernet(space, SupernetScale(2, 3), in_channels=1, classes=10).double()
    drawn = ArchParameters.draw(space, torch.Generator().manual_seed(0), torch.device("cpu"))
    # Far from equal, so that the curvature is no symmetric special case.
    leaves = [
        (t.detach().double() + torch.linspace(-1, 1, t.numel()).view_as(t)).requires_grad_() for t in drawn.tensors
    ]
    inputs = dict(zip(drawn.inputs, leaves[2:], strict=True))
    arch = ArchParameters(space, leaves[0], leaves[1], inputs, drawn.closed)
    images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return supernet, arch, images, torch.arange(8) % 3


@pytest.mark.parametrize(("cell_space", "size"), [(1, 24), (2, 26), (3, 35)])
def test_against_finite_differences(cell_space: int, size: int) -> None:
    supernet, arch, images, labels = build(cell_space)

    def gradient() -> Tensor:
        loss = F.cross_entropy(supernet(images, arch.softmax()), labels)
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, arch.tensors)])

    exact = hessian(F.cross_entropy(supernet(images, arch.softmax()), labels), arch.tensors)
    assert exact.shape == (size, size)
    assert torch.equal(exact, exact.T)
    assert exact.abs().max() > 1e-3

    rows, width = [], 1e-6
    for parameter in arch.tensors:
        for entry in parameter.data.view(-1):
            entry += width
            above = gradient()
            entry -= 2 * width
            rows.append((above - gradient()) / (2 * width))
            entry += width
    torch.testing.assert_close(exact, torch.stack(rows), rtol=1e-5, atol=1e-7)


def test_what_does_not_enter_has_no_curvature() -> None:
    used, unused = (torch.zeros(3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    curvature = hessian(-torch.log_softmax(used, dim=0)[0], [used, unused])
    torch.testing.assert_close(curvature[:3, :3], torch.eye(3, dtype=torch.float64) / 3 - 1 / 9)
    assert (curvature[3:] == 0).all()


def test_dominant_is_largest_by_sign() -> None:
    assert dominant_eigenvalue(torch.diag(torch.tensor([-5.0, 0.25, 0.125]))) == 0.25


def test_a_curvature_that_is_no_number() -> None:
    assert math.isnan(dominant_eigenvalue(torch.tensor([[1.0, math.inf], [math.inf, 1.0]])))
