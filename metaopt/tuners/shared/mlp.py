"""An ensemble of small multilayer perceptrons in NumPy, all trained at once: each matrix product is one for all.

scikit-learn's would be trained one after the other, and cannot minimize the mean absolute error.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.tuners.shared.adam import Adam

_BETAS = (0.9, 0.99)  # of Adam: naszilla


def ensemble_predictions(
    x: Floats,
    y: Floats,
    new: Floats,
    *,
    members: int,
    rng: np.random.Generator,
    hidden: tuple[int, ...],
    rate: float,
    batch: int,
    updates: int,
) -> Floats:
    """Trains perceptrons from different weights on batches in different order, and returns what each of them predicts.

    ReLU, mean absolute error, Adam with a rate that falls to 0 in a line; weights start as in He et al. (2015).

    Args:
        x: (N, D) inputs.
        y: (N,) what is to be predicted, of about unit scale.
        new: (M, D) inputs to predict.
        members: K, the number of perceptrons.
        rng: Source of all randomness.
        hidden: Widths of the hidden layers.
        rate: Adam's at the first update.
        batch: Rows per update, drawn with replacement; at most N.
        updates: Number of updates.

    Returns:
        (K, M) predictions.
    """
    layers = list(pairwise([x.shape[1], *hidden, 1]))
    shapes = [(members, a, b) for a, b in layers] + [(members, 1, b) for _, b in layers]
    # One flat array each, so that Adam is a few operations and not a few per layer.
    flat, gradient = np.zeros((2, sum(map(prod, shapes))))
    adam = Adam(len(flat), _BETAS)
    parameters, gradients = _views(flat, shapes), _views(gradient, shapes)
    for weights in parameters[: len(layers)]:
        weights[:] = rng.standard_normal(weights.shape) * np.sqrt(2 / max(weights.shape[1], 1))
    for update in range(updates):
        rows = rng.integers(len(x), size=(members, min(batch, len(x))))
        _differentiate(parameters, x[rows], y[rows], gradients)
        flat -= adam.step(gradient, rate * (1 - update / updates))
    return np.asarray(_outputs(parameters, np.broadcast_to(new, (members, *new.shape)))[-1][..., 0])


def _views(flat: Floats, shapes: list[tuple[int, int, int]]) -> list[Floats]:
    parts = np.split(flat, np.cumsum([prod(shape) for shape in shapes])[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _outputs(parameters: list[Floats], x: Floats) -> list[Floats]:
    """Returns the input and what comes out of every layer, each (K, N, width)."""
    found, depth = [x], len(parameters) // 2
    for i in range(depth):
        z = found[-1] @ parameters[i] + parameters[depth + i]
        found.append(np.maximum(z, 0.0) if i < depth - 1 else z)
    return found


def _differentiate(parameters: list[Floats], x: Floats, y: Floats, gradients: list[Floats]) -> None:
    """Writes the gradients of the mean absolute error into ``gradients``: of the weights, then of the biases."""
    outputs, depth = _outputs(parameters, x), len(parameters) // 2
    delta = np.sign(outputs[-1] - y[..., None]) / y.shape[1]
    for i in reversed(range(depth)):
        np.matmul(outputs[i].transpose(0, 2, 1), delta, out=gradients[i])
        np.sum(delta, axis=1, keepdims=True, out=gradients[depth + i])
        if i:
            delta = (delta @ parameters[i].transpose(0, 2, 1)) * (outputs[i] > 0)
