"""The supernet of NAS-Bench-1Shot1: every cell of a cell space at once, mixed by continuous weights.

Notation: n choice blocks per cell, L cells, C channels of a stage, N images. Node 0 is a cell's input, 1..n its choice
blocks, n+1 its output. Siems et al. 2020, section 3 and released code ``model_search``; the output edge is added, as
NAS-Bench-101 does, and as the released code does since 2020-02-27.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from metaopt.cells.space import CellSpace

#: Order of the operations in the one-shot model; not NAS-Bench-101's order of labels.
MIXED_OPS = ("maxpool3x3", "conv3x3", "conv1x1")

BatchNorm = Literal["recalibrated", "running", "published"]

# What PyTorch calls momentum is the weight of the new batch. The published code passes TensorFlow's decay, 0.997, for
# it, so that the statistics are those of the last batch; 0.003 is what was meant.
_MOMENTUM: dict[BatchNorm, float] = {"recalibrated": 0.1, "running": 0.003, "published": 0.997}


@dataclass(frozen=True)
class SupernetScale:
    """Size of a supernet.

    Attributes:
        channels: C of the first stage; doubled before cells L//3 and 2L//3 (1Shot1: 16).
        cells: L (1Shot1: 9).
        batch_norm: Statistics that a trained supernet is evaluated with. ``recalibrated``: of the training images
            under the weights that are evaluated; ``running``: a running mean, momentum 0.003; ``published``: momentum
            0.997, in effect those of the last training batch.
    """

    channels: int
    cells: int
    batch_norm: BatchNorm = "recalibrated"


@dataclass(frozen=True)
class Mix:
    """Weights of one forward pass through a cell.

    Attributes:
        ops: (n, 3), a row per choice block, columns as :data:`MIXED_OPS`.
        output: (n + 1,), of nodes 0..n in the output.
        inputs: For choice block j = 1..n, (j,): of nodes 0..j-1 in its input.
    """

    ops: Tensor
    output: Tensor
    inputs: tuple[Tensor, ...]


def scaled_norm_relu(norm: nn.BatchNorm2d, x: Tensor, scale: Tensor) -> Tensor:
    """Returns scale * relu(norm(x)) for scale >= 0, computed with both affine parameters times the scale.

    The two are equal because a ReLU is positively homogeneous; this one multiplies C numbers instead of N*C*H*W.

    Args:
        norm: Of C channels.
        x: (N, C, H, W).
        scale: (C,).
    """
    weight, bias, momentum = norm.weight * scale, norm.bias * scale, norm.momentum or 0.0
    y = F.batch_norm(x, norm.running_mean, norm.running_var, weight, bias, norm.training, momentum, norm.eps)
    return F.relu_(y)


class ChoiceBlock(nn.Module):
    """Weighted sum of the three operations: (N, C, H, W) -> same.

    Both convolutions are one call: the 1x1 kernel is the centre of a 3x3 one that is zero elsewhere.
    """

    def __init__(self, channels: int, momentum: float) -> None:
        super().__init__()
        self.channels = channels
        self.conv3x3 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv1x1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels, momentum=momentum)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Mixes the operations on ``x`` by ``weights`` (3,)."""
        kernels = torch.cat([self.conv3x3.weight, F.pad(self.conv1x1.weight, (1, 1, 1, 1))])
        scale = weights[1:].repeat_interleave(self.channels)
        both = scaled_norm_relu(self.norm, F.conv2d(x, kernels, padding=1), scale)
        wide, narrow = both.split(self.channels, dim=1)
        mixed: Tensor = weights[0] * F.max_pool2d(x, 3, stride=1, padding=1) + wide + narrow
        return mixed


class MixedCell(nn.Module):
    """One cell: (N, c_in, H, W) -> (N, n*C, H, W).

    The n + 1 projections of the input, one per choice block and one for the output, are one convolution.
    """

    def __init__(self, n: int, c_in: int, channels: int, momentum: float) -> None:
        super().__init__()
        self.n, self.channels = n, channels
        self.project = nn.Conv2d(c_in, 2 * n * channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * n * channels, momentum=momentum)
        self.blocks = nn.ModuleList(ChoiceBlock(channels, momentum) for _ in range(n))

    def forward(self, x: Tensor, mix: Mix) -> Tensor:
        """Mixes wiring and operations by ``mix``."""
        n, c = self.n, self.channels
        from_input = torch.stack([*(weights[0] for weights in mix.inputs), *mix.output[:1].expand(n)])
        projected = scaled_norm_relu(self.norm, self.project(x), from_input.repeat_interleave(c))
        *own, to_output = projected.split([c] * n + [n * c], dim=1)
        nodes: list[Tensor] = []
        for j, block in enumerate(self.blocks):
            incoming = own[j]
            for weight, node in zip(mix.inputs[j][1:], nodes, strict=True):
                incoming = torch.addcmul(incoming, weight, node)
            nodes.append(block(incoming, mix.ops[j]))
        spread = mix.output[1:].repeat_interleave(c).view(1, -1, 1, 1)
        return torch.addcmul(to_output, spread, torch.cat(nodes, dim=1))


class Supernet(nn.Module):
    """Images (N, in_channels, H, W) and a mix -> logits (N, classes).

    Args:
        space: The cell space; only its number of choice blocks shapes the network.
        scale: Size of the network.
        in_channels: Of the images.
        classes: Number of labels.
    """

    def __init__(self, space: CellSpace, scale: SupernetScale, *, in_channels: int, classes: int) -> None:
        super().__init__()
        n, c, momentum = space.n_nodes, scale.channels, _MOMENTUM[scale.batch_norm]
        self.scale = scale
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, c, 3, padding=1, bias=False), nn.BatchNorm2d(c, momentum=momentum), nn.ReLU()
        )
        self.halvings = (scale.cells // 3, 2 * scale.cells // 3)
        self.cells = nn.ModuleList()
        c_in = c
        for index in range(scale.cells):
            c *= 2 if index in self.halvings else 1
            self.cells.append(MixedCell(n, c_in, c, momentum))
            c_in = n * c
        self.squeeze = nn.Conv2d(c_in, c, 1, bias=False)
        self.squeeze_bn = nn.BatchNorm2d(c, affine=False)
        self.head = nn.Linear(c, classes)

    def forward(self, images: Tensor, mix: Mix | Sequence[Mix]) -> Tensor:
        """Classifies ``images``; ``mix`` is one for all cells, or one per cell."""
        x = self.stem(images.contiguous(memory_format=torch.channels_last))
        for index, cell in enumerate(self.cells):
            if index in self.halvings:
                x = F.max_pool2d(x, 2)
            x = cell(x, mix if isinstance(mix, Mix) else mix[index])
        x = self.squeeze_bn(self.squeeze(F.relu(x)))
        logits: Tensor = self.head(x.mean(dim=(2, 3)))
        return logits

    @torch.no_grad()
    def recalibrate(self, batches: Sequence[Tensor], mix: Mix | Sequence[Mix]) -> None:
        """Replaces all batch norm statistics by those of ``batches`` under ``mix``: their mean over the batches."""
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        self.train()
        for done, images in enumerate(batches):
            for norm in norms:
                norm.momentum = 1 / (done + 1)  # a plain mean over all batches
            self(images, mix)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
