"""Training of whole networks, many of one wiring at a time; what a table is built from.

Notation: G networks, N images of a batch; see :mod:`metaopt.tables.building.networks`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from metaopt.cells.graph import CellGraph
from metaopt.core.seeds import stream
from metaopt.images import ImageData, ImagePart
from metaopt.tables.building.networks import NetworkBatch
from metaopt.tables.protocol import NetworkScale, Protocol

_EVAL_IMAGES = 100  # per call: larger ones leave the cache and take longer


@dataclass(frozen=True)
class CurvePoint:
    """Scores of G networks after some epochs; errors (G,) in [0, 1]; ``cost_s`` CPU seconds per network so far."""

    epochs: int
    train_error: Tensor
    valid_error: Tensor
    test_error: Tensor
    cost_s: float


def train_networks(
    graphs: Sequence[CellGraph], seeds: Sequence[int], data: ImageData, scale: NetworkScale, protocol: Protocol
) -> list[CurvePoint]:
    """Trains one network per graph and seed; each comes out as if it had been trained alone, up to rounding.

    A network's weights follow from its seed and its cell, its data order from its seed. Images are not augmented.

    Args:
        graphs: G graphs of one wiring; a graph may stand several times.
        seeds: G seeds.
        data: Images of all parts.
        scale: Size of the networks.
        protocol: How to train.

    Returns:
        One point per entry of ``protocol.epochs``.
    """
    net = NetworkBatch(graphs, scale)
    net.initialise([(seed, graph.hash) for graph, seed in zip(graphs, seeds, strict=True)])
    orders = [stream(seed, "order") for seed in seeds]
    images, labels = torch.from_numpy(data.train[0]), torch.from_numpy(data.train[1])
    steps = len(labels) // protocol.batch_size
    optim = torch.optim.SGD(
        net.parameters(),
        protocol.learning_rate,
        momentum=protocol.momentum,
        weight_decay=protocol.weight_decay,
        nesterov=protocol.nesterov,
        fused=True,
    )
    total = steps * protocol.epochs[-1]
    schedule = torch.optim.lr_scheduler.LambdaLR(optim, lambda t: 0.5 * (1 + math.cos(math.pi * t / total)))
    points, cost_s = [], 0.0
    for epoch in range(1, protocol.epochs[-1] + 1):
        started = time.thread_time()
        net.train()
        order = torch.from_numpy(np.stack([rng.permutation(len(labels)) for rng in orders], axis=1))  # (images, G)
        for batch in order[: steps * protocol.batch_size].split(protocol.batch_size):
            logits = net(standardised(images[batch], data).permute(0, 2, 3, 1, 4))  # (N, G, H, W, C) -> (N, H, W, G, C)
            loss = F.cross_entropy(logits.flatten(0, 1), labels[batch].flatten(), reduction="sum")
            optim.zero_grad()
            (loss / protocol.batch_size).backward()
            optim.step()
            schedule.step()
        cost_s += time.thread_time() - started
        if epoch in protocol.epochs:
            train, valid, test = (
                error_rates(net, part, data, len(graphs)) for part in (data.train, data.valid, data.test)
            )
            points.append(CurvePoint(epoch, train, valid, test, cost_s / len(graphs)))
    return points


def standardised(levels: Tensor, data: ImageData) -> Tensor:
    """Returns images (..., C), whose pixels are levels, in units of the training images' deviation from their mean."""
    return (levels.float() - torch.from_numpy(data.mean)) / torch.from_numpy(data.deviation)


@torch.no_grad()
def error_rates(net: NetworkBatch, part: ImagePart, data: ImageData, g: int) -> Tensor:
    """Returns the share of wrongly classified images of a part of ``data`` of each of the ``g`` networks, (g,)."""
    net.eval()
    wrong = torch.zeros(g)
    for images, labels in zip(*(torch.from_numpy(a).split(_EVAL_IMAGES) for a in part), strict=True):
        logits = net(standardised(images, data).unsqueeze(3).expand(-1, -1, -1, g, -1))
        wrong += (logits.argmax(2) != labels[:, None]).sum(0)
    return wrong / len(part[1])
