"""Curvature of the validation loss over the architecture: its exact Hessian and the dominant eigenvalue.

Zela et al. 2020, section 4.1: where the loss is sharply curved, rounding the architecture to a single cell loses much.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def hessian(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """Returns the second derivatives of ``loss``, exact and exactly symmetric.

    A row of parameters only enters through its softmax, which does not change when a number is added to the whole row.
    So the second derivatives along a row sum to 0, and each row's last one follows from the others: 17 instead of 24
    passes through the graph in space 1, 18 of 26 in space 2, 25 of 35 in space 3. One pass costs about two gradients;
    batching them is not faster, because they are bound by memory, and does not work in channels-last layout.

    The L2 penalty on the parameters is left out. The published code adds it to the diagonal, so that its eigenvalues
    are higher by 0.001 and never below it.

    Of what has a straight-through gradient it is the derivative of that gradient: its upper triangle, mirrored.

    Args:
        loss: A number with a graph that can be differentiated twice.
        parameters: Leaves of shape (..., r), softmax rows along the last axis; d numbers together.

    Returns:
        (d, d), in the order of ``parameters``, each row-major.
    """
    gradients = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
    second = [
        _without_last(torch.autograd.grad(entry, parameters, retain_graph=True, materialize_grads=True))
        for entry in _without_last(gradients)
    ]
    lengths = [t.shape[-1] for t in parameters for _ in range(t.numel() // t.shape[-1])]
    restored = torch.block_diag(*(_restore_last(r, loss) for r in lengths))
    return _mirror(restored @ _mirror(torch.stack(second)) @ restored.T)


def dominant_eigenvalue(matrix: Tensor) -> float:
    """Returns the largest eigenvalue, by sign and not by size, as published; NaN if the matrix is not finite.

    Args:
        matrix: (d, d), symmetric.
    """
    if not torch.isfinite(matrix).all():
        return float("nan")
    return float(torch.linalg.eigvalsh(matrix.detach().cpu().double())[-1])


def _without_last(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([t[..., :-1].flatten() for t in tensors])


def _restore_last(length: int, like: Tensor) -> Tensor:
    """Returns the (r, r - 1) matrix that adds to r - 1 derivatives along a row the last one, minus their sum."""
    first = torch.eye(length - 1, dtype=like.dtype, device=like.device)
    return torch.cat([first, -torch.ones_like(first[:1])])


def _mirror(square: Tensor) -> Tensor:
    return square.triu() + square.triu(1).T
