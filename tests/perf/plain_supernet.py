"""The supernet restated plainly, one module call per operation and per projection: what ours is timed against.

Same structure, same numbers, same optimizer steps; nothing is fused, left out or folded.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaopt.oneshot.supernet.partial import PartialBlock
from metaopt.oneshot.supernet.supernet import Supernet

#: Weights of operations, output and inputs, and the only operation of every block or None.
PlainMix = tuple[Tensor, Tensor, Sequence[Tensor], Sequence[int] | None]


def conv_norm_relu(c_in: int, c_out: int, size: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, size, padding=size // 2, bias=False), nn.BatchNorm2d(c_out), nn.ReLU())


class PlainBlock(nn.Module):
    """(N, C, H, W) -> same; with ``partial`` K only the first C/K channels pass the operations."""

    def __init__(self, channels: int, partial: int = 1) -> None:
        super().__init__()
        self.partial, self.width = partial, channels // partial
        self.ops = nn.ModuleList(
            [
                nn.MaxPool2d(3, stride=1, padding=1),
                conv_norm_relu(self.width, self.width, 3),
                conv_norm_relu(self.width, self.width, 1),
            ]
        )

    def forward(self, x: Tensor, weights: Tensor, chosen: int | None) -> Tensor:
        active, rest = x[:, : self.width], x[:, self.width :]
        if chosen is None:
            mixed = sum(weight * op(active) for weight, op in zip(weights, self.ops, strict=True))
        else:
            mixed = weights[chosen] * self.ops[chosen](active)
        return mixed if self.partial == 1 else F.channel_shuffle(torch.cat([mixed, rest], dim=1), self.partial)


class PlainCell(nn.Module):
    def __init__(self, n: int, c_in: int, channels: int, partial: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList(conv_norm_relu(c_in, channels, 1) for _ in range(n))
        self.to_output = conv_norm_relu(c_in, n * channels, 1)
        self.blocks = nn.ModuleList(PlainBlock(channels, partial) for _ in range(n))

    def forward(
        self, x: Tensor, ops: Tensor, output: Tensor, inputs: Sequence[Tensor], chosen: Sequence[int] | None
    ) -> Tensor:
        nodes: list[Tensor] = []
        for j, (project, block) in enumerate(zip(self.projections, self.blocks, strict=True)):
            incoming = [project(x), *nodes]
            total = sum(weight * node for weight, node in zip(inputs[j], incoming, strict=True))
            nodes.append(block(total, ops[j], None if chosen is None else chosen[j]))
        weighted = [weight * node for weight, node in zip(output[1:], nodes, strict=True)]
        return output[0] * self.to_output(x) + torch.cat(weighted, dim=1)


class PlainSupernet(nn.Module):
    """Images (N, in_channels, H, W) and the weights of every cell -> logits (N, classes)."""

    def __init__(self, n: int, channels: int, cells: int, *, in_channels: int, classes: int, partial: int = 1) -> None:
        super().__init__()
        self.stem = conv_norm_relu(in_channels, channels, 3)
        self.halvings = (cells // 3, 2 * cells // 3)
        self.cells = nn.ModuleList()
        c_in = channels
        for index in range(cells):
            channels *= 2 if index in self.halvings else 1
            self.cells.append(PlainCell(n, c_in, channels, partial))
            c_in = n * channels
        self.squeeze = nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, channels, 1, bias=False))
        self.squeeze_bn = nn.BatchNorm2d(channels, affine=False)
        self.head = nn.Linear(channels, classes)

    def forward(self, images: Tensor, mixes: Sequence[PlainMix]) -> Tensor:
        x = self.stem(images)
        for index, (cell, mix) in enumerate(zip(self.cells, mixes, strict=True)):
            if index in self.halvings:
                x = F.max_pool2d(x, 2)
            x = cell(x, *mix)
        x = self.squeeze_bn(self.squeeze(x))
        return self.head(x.mean(dim=(2, 3)))


def take_weights(plain: PlainSupernet, ours: Supernet) -> None:
    """Gives ``plain`` the weights of ``ours``."""
    with torch.no_grad():
        for name in ("squeeze_bn", "head", "stem"):
            getattr(plain, name).load_state_dict(getattr(ours, name).state_dict())
        plain.squeeze[1].load_state_dict(ours.squeeze.state_dict())
        for cell, other in zip(plain.cells, ours.cells, strict=True):
            width = other.channels
            for j, project in enumerate([*cell.projections, cell.to_output]):
                rows = slice(j * width, (j + 1) * width if j < other.n else None)
                project[0].weight.copy_(other.project.weight[rows])
                project[1].weight.copy_(other.norm.weight[rows])
                project[1].bias.copy_(other.norm.bias[rows])
            for block, whole in zip(cell.blocks, other.blocks, strict=True):
                source = whole.block if isinstance(whole, PartialBlock) else whole
                for op, conv, norm in zip(list(block.ops)[1:], source.convs, source.norms, strict=True):
                    op[0].load_state_dict(conv.state_dict())
                    op[1].load_state_dict(norm.state_dict())
