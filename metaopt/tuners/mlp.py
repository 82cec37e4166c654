"""An ensemble of small multilayer perceptrons in NumPy, all trained at once: each matrix product is one for all.

scikit-learn's would be trained one after the other, each with an overhead above the work itself at these sizes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BETAS = (0.9, 0.99)  # of Adam: naszilla
_TINY = 1e-8


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
    sizes = [x.shape[1], *hidden, 1]
    weights = [rng.standard_normal((members, a, b)) * np.sqrt(2 / max(a, 1)) for a, b in pairwise(sizes)]
    biases = [np.zeros((members, 1, b)) for b in sizes[1:]]
    parameters = weights + biases
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    for update in range(updates):
        rows = rng.integers(len(x), size=(members, min(batch, len(x))))
        step = rate * (1 - update / updates)
        for p, m, v, g in zip(parameters, first, second, _gradients(weights, biases, x[rows], y[rows]), strict=True):
            m += (1 - _BETAS[0]) * (g - m)
            v += (1 - _BETAS[1]) * (g * g - v)
            corrected = m / (1 - _BETAS[0] ** (update + 1)), v / (1 - _BETAS[1] ** (update + 1))
            p -= step * corrected[0] / (np.sqrt(corrected[1]) + _TINY)
    return np.asarray(_layers(weights, biases, np.broadcast_to(new, (members, *new.shape)))[-1][..., 0])


def _layers(weights: list[Floats], biases: list[Floats], x: Floats) -> list[Floats]:
    """Returns the input and what comes out of every layer, each (K, N, width)."""
    found = [x]
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        z = found[-1] @ w + b
        found.append(np.maximum(z, 0.0) if i < len(weights) - 1 else z)
    return found


def _gradients(weights: list[Floats], biases: list[Floats], x: Floats, y: Floats) -> list[Floats]:
    """Returns the gradients of the mean absolute error: those of the weights, then those of the biases."""
    outputs = _layers(weights, biases, x)
    delta = np.sign(outputs[-1] - y[..., None]) / y.shape[1]
    by_weight: list[Floats] = []
    by_bias: list[Floats] = []
    for i in reversed(range(len(weights))):
        by_weight.insert(0, outputs[i].transpose(0, 2, 1) @ delta)
        by_bias.insert(0, delta.sum(axis=1, keepdims=True))
        delta = (delta @ weights[i].transpose(0, 2, 1)) * (outputs[i] > 0)
    return by_weight + by_bias
