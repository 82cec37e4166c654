"""The supernet of NAS-Bench-1Shot1: every cell of a cell space at once, with shared weights.

Notation: n choice blocks per cell, L cells, C channels of a stage, N images. Node 0 is a cell's input, 1..n its choice
blocks, n+1 its output. Siems et al. 2020, section 3 and released code ``model_search``; the output edge is added, as
NAS-Bench-101 does, and as the released code does since 2020-02-27.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaopt.cells.space import CellSpace
from metaopt.oneshot.supernet.mix import Mix, Mixes, Path

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


def norm_relu(norm: nn.BatchNorm2d, x: Tensor, scale: Tensor | None = None, fold: bool = True) -> Tensor:
    """Returns scale * relu(norm(x)) for scale >= 0.

    Folded, both affine parameters are multiplied instead, C numbers and not N*C*H*W: a ReLU is positively homogeneous.
    That loses the gradient of a scale that is 0.

    Args:
        norm: Of C channels.
        x: (N, C, H, W).
        scale: () or (C,); None is 1.
        fold: Whether to fold the scale.
    """
    weight: Tensor = norm.weight
    bias: Tensor = norm.bias
    momentum = norm.momentum or 0.0
    if scale is not None and fold:
        weight, bias = weight * scale, bias * scale
    y = F.relu_(F.batch_norm(x, norm.running_mean, norm.running_var, weight, bias, norm.training, momentum, norm.eps))
    return y if scale is None or fold else y * scale.view(-1, 1, 1)


class ChoiceBlock(nn.Module):
    """Weighted sum of the three operations: (N, C, H, W) -> same."""

    def __init__(self, channels: int, momentum: float) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, channels, size, padding=size // 2, bias=False) for size in (3, 1)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels, momentum=momentum) for _ in self.convs)

    def forward(self, x: Tensor, weights: Tensor | None, chosen: int | None = None, *, fold: bool = True) -> Tensor:
        """Mixes the operations on ``x`` by ``weights`` (3,); with ``chosen`` only that one, without weights with 1."""
        if chosen is not None:
            weight = None if weights is None else weights[chosen]
            return self._pool(x, weight) if chosen == 0 else self._conv(chosen - 1, x, weight, fold)
        if weights is None:
            raise ValueError("a block without weights needs its chosen operation")
        wide, narrow = (self._conv(k, x, weights[k + 1], fold) for k in (0, 1))
        return torch.addcmul(wide, weights[0], self._pool(x, None)).add_(narrow)

    def _conv(self, k: int, x: Tensor, weight: Tensor | None, fold: bool) -> Tensor:
        return norm_relu(self.norms[k], self.convs[k](x), weight, fold)  # type: ignore[arg-type]  # of a ModuleList

    def _pool(self, x: Tensor, weight: Tensor | None) -> Tensor:
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        return pooled if weight is None else pooled * weight


#: Makes what stands for a choice block, with the ``forward`` of :class:`ChoiceBlock`, from its channels and the
#: momentum of its batch norms.
BlockFactory = Callable[[int, float], nn.Module]


class MixedCell(nn.Module):
    """One cell: (N, c_in, H, W) -> (N, n*C, H, W).

    The n + 1 projections of the input, one per choice block and one for the output, are one convolution.
    """

    def __init__(self, n: int, c_in: int, channels: int, momentum: float, block: BlockFactory = ChoiceBlock) -> None:
        super().__init__()
        self.n, self.channels = n, channels
        self.project = nn.Conv2d(c_in, 2 * n * channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * n * channels, momentum=momentum)
        self.blocks = nn.ModuleList(block(channels, momentum) for _ in range(n))

    def forward(self, x: Tensor, mix: Mix, keep: Tensor | None = None) -> Tensor:
        """Mixes wiring and operations by ``mix``; ``keep`` (n, N) multiplies the blocks of single images."""
        n, c, fold = self.n, self.channels, not mix.gates
        from_input = torch.stack([*(weights[0] for weights in mix.inputs), *mix.output[:1].expand(n)])
        projected = norm_relu(self.norm, self.project(x), from_input.repeat_interleave(c), fold)
        *own, to_output = projected.split([c] * n + [n * c], dim=1)
        nodes: list[Tensor] = []
        for j, block in enumerate(self.blocks):
            incoming = own[j]
            for weight, node in zip(mix.inputs[j][1:], nodes, strict=True):
                incoming = torch.addcmul(incoming, weight, node)
            node = block(incoming, mix.ops[j], None if mix.chosen is None else mix.chosen[j], fold=fold)
            nodes.append(node if keep is None else node * keep[j].view(-1, 1, 1, 1))
        spread = mix.output[1:].repeat_interleave(c).view(1, -1, 1, 1)
        return torch.addcmul(to_output, spread, torch.cat(nodes, dim=1))

    def walk(
        self, x: Tensor, path: Path, came: Sequence[int] | None, keep: Tensor | None = None
    ) -> tuple[Tensor, Sequence[int] | None]:
        """Computes one single cell, and of it only what reaches the output.

        Args:
            x: (N, c_in, H, W), or only those of its blocks of channels that are not 0 throughout.
            path: The cell.
            came: Which blocks of channels, from 0, ``x`` has; None: all.
            keep: (n, N), multiplies the blocks of single images.

        Returns:
            The same of this cell.
        """
        parents, output = path.cell.parents, path.cell.parents[-1]
        own = self._project(x, path, came)
        nodes: dict[int, Tensor] = {}
        for j in path.live:
            incoming = [own[j] if i == 0 else nodes[i] for i in parents[j - 1]]
            total = sum(incoming[1:], incoming[0])
            if path.mean and len(incoming) < j:  # a block without a choice sums its parents in every search
                total = total / len(incoming)
            node = self.blocks[j - 1](total, None, path.ops[j - 1])
            nodes[j] = node if keep is None else node * keep[j - 1].view(-1, 1, 1, 1)
        if 0 not in output:
            y, went = torch.cat([nodes[j] for j in output], dim=1), tuple(j - 1 for j in output)
        else:
            blocks = own[self.n + 1].split(self.channels, dim=1)
            y = torch.cat([b + nodes[j] if j in output else b for j, b in enumerate(blocks, start=1)], dim=1)
            went = None
        return (y / len(output) if path.mean else y), went

    def _project(self, x: Tensor, path: Path, came: Sequence[int] | None) -> dict[int, Tensor]:
        """Returns the projections of the input that ``path`` needs, by the node that takes them."""
        n, c, parents = self.n, self.channels, path.cell.parents
        takers = [j for j in (*path.live, n + 1) if 0 in parents[j - 1]]
        rows = torch.cat([torch.arange((j - 1) * c, (2 * n if j > n else j) * c) for j in takers]).to(x.device)
        kernel = columns(self.project.weight, came, x.shape[1])[rows]
        norm, training = self.norm, self.norm.training
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("the norm of a cell keeps running statistics")
        mean, var = norm.running_mean[rows], norm.running_var[rows]
        weight, bias = norm.weight[rows], norm.bias[rows]
        y = F.batch_norm(F.conv2d(x, kernel), mean, var, weight, bias, training, norm.momentum or 0.0, norm.eps)
        if training:
            norm.running_mean[rows], norm.running_var[rows] = mean, var
        return dict(zip(takers, F.relu_(y).split([n * c if j > n else c for j in takers], dim=1), strict=True))


def columns(kernel: Tensor, came: Sequence[int] | None, channels: int) -> Tensor:
    """Returns ``kernel`` (out, in, 1, 1) for the blocks ``came`` of its input channels, ``channels`` in all."""
    if came is None:
        return kernel
    width = channels // len(came)
    return torch.cat([kernel[:, b * width : (b + 1) * width] for b in came], dim=1)


class Supernet(nn.Module):
    """Images (N, in_channels, H, W) and what to run under -> logits (N, classes).

    Args:
        cell_space: The cell space; only its number of choice blocks shapes the network.
        scale: Size of the network.
        in_channels: Of the images.
        classes: Number of labels.
        block: What a choice block is made of.

    Attributes:
        drop_path_prob: Probability of a choice block's output to be dropped for an image in training; what is kept is
            divided by the rest (Zela et al. 2020, section 4.1).
        drop_path_generator: Decides which, on the CPU.
    """

    def __init__(
        self,
        cell_space: CellSpace,
        scale: SupernetScale,
        *,
        in_channels: int,
        classes: int,
        block: BlockFactory = ChoiceBlock,
    ) -> None:
        super().__init__()
        n, c, momentum = cell_space.n_nodes, scale.channels, _MOMENTUM[scale.batch_norm]
        self.n, self.scale = n, scale
        self.drop_path_prob, self.drop_path_generator = 0.0, torch.Generator()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, c, 3, padding=1, bias=False), nn.BatchNorm2d(c, momentum=momentum), nn.ReLU()
        )
        self.halvings = (scale.cells // 3, 2 * scale.cells // 3)
        self.cells = nn.ModuleList()
        c_in = c
        for index in range(scale.cells):
            c *= 2 if index in self.halvings else 1
            self.cells.append(MixedCell(n, c_in, c, momentum, block))
            c_in = n * c
        self.squeeze = nn.Conv2d(c_in, c, 1, bias=False)
        self.squeeze_bn = nn.BatchNorm2d(c, affine=False)
        self.head = nn.Linear(c, classes)

    def forward(self, images: Tensor, mix: Mixes) -> Tensor:
        """Classifies ``images``; ``mix`` is one for all cells, or one per cell."""
        x = self.stem(images.contiguous(memory_format=torch.channels_last))
        keep = self._keep(len(images)).to(x.device) if self.training and self.drop_path_prob else None
        came: Sequence[int] | None = None
        for index, cell in enumerate(self.cells):
            if index in self.halvings:
                x = F.max_pool2d(x, 2)
            under = mix if isinstance(mix, Mix | Path) else mix[index]
            kept = None if keep is None else keep[index]
            if isinstance(under, Path):
                x, came = cell.walk(x, under, came, kept)  # type: ignore[operator]  # of a ModuleList
            else:
                x = cell(x, under, kept)
        x = self.squeeze_bn(F.conv2d(F.relu(x), columns(self.squeeze.weight, came, x.shape[1])))
        logits: Tensor = self.head(x.mean(dim=(2, 3)))
        return logits

    def _keep(self, images: int) -> Tensor:
        """Draws what drop path keeps, (L, n, N)."""
        shape = (len(self.cells), self.n, images)
        kept = torch.rand(shape, generator=self.drop_path_generator) >= self.drop_path_prob
        return kept / (1 - self.drop_path_prob)

    @torch.no_grad()
    def recalibrate(self, batches: Iterable[Tensor], mix: Mixes) -> None:
        """Replaces all batch norm statistics by those of the images of all ``batches`` under ``mix``.

        Every image counts alike, whichever batch it is in: means and variances of the batches are put together by
        their sizes, the variances with what the means differ by (Chan, Golub and LeVeque 1983). In one
        batch they are exact. In several, each layer is fed with what its own batch was normalized to, as in Wu and
        Johnson 2021, section 3. Variances are PyTorch's running ones, over one less than the number of values.
        """
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        statistics = [(norm.get_buffer("running_mean"), norm.get_buffer("running_var")) for norm in norms]
        for norm in norms:
            norm.momentum = 1.0  # what is stored after a batch is of that batch alone
        self.train()
        seen = 0
        for images in batches:
            before = [(mean.clone(), var.clone()) for mean, var in statistics] if seen else []
            seen += len(images)
            self(images, mix)
            for now, then in zip(statistics, before, strict=False):
                _merge(now, then, len(images) / seen)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _merge(now: tuple[Tensor, Tensor], before: tuple[Tensor, Tensor], share: float) -> None:
    """Adds to mean and variance of a batch those of what came ``before``; the batch has this ``share`` of both."""
    (mean, var), (earlier_mean, earlier_var) = now, before
    difference = mean - earlier_mean
    mean.copy_(earlier_mean + share * difference)
    var.copy_(earlier_var + share * (var - earlier_var) + share * (1 - share) * difference.square())
