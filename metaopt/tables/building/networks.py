"""Many NAS-Bench-101-style networks of one wiring trained side by side as one module.

Every network has its own weights, its own statistics and its own data order; none sees another. They share only the
kernel calls: a layer of all G networks is one grouped convolution, which on these small images costs a fraction of G
separate ones.

Notation: N images, G networks, C channels, H = W pixels. Activations are (N, H, W, G, C), which a convolution reads as
a channels-last (N, G*C, H, W) without a copy. Weights are (G*C_out, C_in, k, k).

The structure is that of Ying et al. 2019 (NAS-Bench-101), section 2.2 and released code ``model_builder``: edges from
the input carry a 1x1 projection, interior inputs are summed, the output concatenates its parents and adds the projected
input. Its constants are ``NetworkScale``'s defaults here, scaled to 8x8 images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaopt.cells.graph import CellGraph
from metaopt.core.seeds import stream
from metaopt.tables.protocol import NetworkScale


def vertex_channels(graph: CellGraph, c_out: int) -> list[int]:
    """Returns the channels of vertices 1..V-2 (NAS-Bench-101, ``compute_vertex_channels``).

    The output's channels are split evenly among its interior parents, the first ones getting the remainder; any other
    vertex has as many as the widest vertex it feeds.
    """
    n = graph.n_vertices
    feeders = [v for v in graph.parents(n - 1) if v > 0]
    widths = [0] * n
    for rank, v in enumerate(feeders):
        widths[v] = c_out // len(feeders) + (rank < c_out % len(feeders))
    for v in range(n - 2, 0, -1):
        if not widths[v]:
            widths[v] = max(widths[t] for t in range(v + 1, n - 1) if graph.adjacency[v][t])
    return widths[1:-1]


def to_planes(x: Tensor) -> Tensor:
    """(N, H, W, G, C) -> (N, G*C, H, W) in channels-last memory, without a copy."""
    return x.flatten(3).permute(0, 3, 1, 2)


def from_planes(x: Tensor, g: int) -> Tensor:
    """(N, G*C, H, W) -> (N, H, W, G, C)."""
    y: Tensor = x.permute(0, 2, 3, 1).unflatten(3, (g, -1))
    return y


class ConvBnRelu(nn.Module):
    """Convolution, batch norm and ReLU of ``g`` networks: (N, H, W, g, c_in) -> (N, H, W, g, c_out)."""

    def __init__(self, g: int, c_in: int, c_out: int, kernel: int) -> None:
        super().__init__()
        self.g, self.kernel = g, kernel
        self.weight = nn.Parameter(torch.empty(g * c_out, c_in, kernel, kernel))
        self.bn = nn.BatchNorm2d(g * c_out)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = F.conv2d(to_planes(x), self.weight, padding=self.kernel // 2, groups=self.g)
        return from_planes(F.relu_(self.bn(y)), self.g)


class Vertex(nn.Module):
    """One interior vertex whose operation may differ between the networks: (N, H, W, G, C) -> same."""

    def __init__(self, ops: Sequence[str], channels: int) -> None:
        super().__init__()
        self.kinds = list(dict.fromkeys(ops))
        members = [[g for g, op in enumerate(ops) if op == kind] for kind in self.kinds]
        self.members = [torch.tensor(m) for m in members]
        self.restore = torch.tensor(np.argsort(np.concatenate(members)))
        self.blocks = nn.ModuleList(
            nn.Identity() if kind == "maxpool3x3" else ConvBnRelu(len(m), channels, channels, int(kind[-1]))
            for kind, m in zip(self.kinds, members, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        if len(self.kinds) == 1:
            return self._operate(0, x)
        parts = [self._operate(k, x.index_select(3, m)) for k, m in enumerate(self.members)]
        return torch.cat(parts, dim=3).index_select(3, self.restore)

    def _operate(self, kind: int, x: Tensor) -> Tensor:
        if self.kinds[kind] == "maxpool3x3":
            return from_planes(F.max_pool2d(to_planes(x), 3, stride=1, padding=1), x.shape[3])
        block: Tensor = self.blocks[kind](x)
        return block


class CellBatch(nn.Module):
    """One cell of G networks with a common wiring: (N, H, W, G, c_in) -> (N, H, W, G, c_out)."""

    def __init__(self, graphs: Sequence[CellGraph], c_in: int, c_out: int) -> None:
        super().__init__()
        g, self.wiring = len(graphs), graphs[0]
        self.widths = [c_in, *vertex_channels(self.wiring, c_out), c_out]
        self.vertices = nn.ModuleList(
            Vertex([graph.ops[v - 1] for graph in graphs], self.widths[v]) for v in range(1, self.wiring.n_vertices - 1)
        )
        self.projections = nn.ModuleDict(
            {
                str(v): ConvBnRelu(g, c_in, self.widths[v], 1)
                for v in range(1, self.wiring.n_vertices)
                if 0 in self.wiring.parents(v)
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        values = [x]
        for v, vertex in enumerate(self.vertices, start=1):
            inputs = [self._edge(values, i, v) for i in self.wiring.parents(v)]
            values.append(vertex(torch.stack(inputs).sum(0) if len(inputs) > 2 else sum(inputs[1:], inputs[0])))
        last = self.wiring.n_vertices - 1
        y = torch.cat([values[i] for i in self.wiring.parents(last) if i > 0], dim=4)
        return y + self._edge(values, 0, last) if 0 in self.wiring.parents(last) else y

    def _edge(self, values: list[Tensor], source: int, target: int) -> Tensor:
        if source == 0:
            projected: Tensor = self.projections[str(target)](values[0])
            return projected
        return values[source][..., : self.widths[target]]


class NetworkBatch(nn.Module):
    """G whole networks: images (N, H, W, G, in_channels) -> logits (N, G, classes)."""

    def __init__(self, graphs: Sequence[CellGraph], scale: NetworkScale) -> None:
        super().__init__()
        if len({graph.adjacency for graph in graphs}) != 1:
            raise ValueError("networks of one batch must have one wiring")
        g, c = len(graphs), scale.channels
        self.stem = ConvBnRelu(g, scale.in_channels, c, 3)
        self.stacks = nn.ModuleList()
        c_in = c
        for stack in range(scale.stacks):
            c_out = c * 2**stack
            cells = [CellBatch(graphs, c_in if k == 0 else c_out, c_out) for k in range(scale.cells)]
            self.stacks.append(nn.Sequential(*cells))
            c_in = c_out
        self.head = nn.Parameter(torch.empty(g, c_in, scale.classes))
        self.bias = nn.Parameter(torch.zeros(g, scale.classes))
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum, module.eps = scale.batch_norm_momentum, scale.batch_norm_epsilon

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = self.stem(x)
        for index, stack in enumerate(self.stacks):
            if index:
                x = from_planes(F.max_pool2d(to_planes(x), 2), x.shape[3])
            x = stack(x)
        features = x.mean(dim=(1, 2))  # (N, G, C)
        return torch.einsum("ngc,gck->ngk", features, self.head) + self.bias

    def initialise(self, names: Sequence[tuple[int | str, ...]]) -> None:
        """Draws every network's weights from the stream at its name, as :attr:`NetworkScale.initial_weights` says.

        A network's weights do not depend on the networks beside it.

        Args:
            names: For each of the G networks, the path of its random stream.
        """
        streams = [stream(*name, "weights") for name in names]
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, Vertex):
                    owners = [module.members[k].tolist() for k in range(len(module.kinds))]
                    for block, owner in zip(module.blocks, owners, strict=True):
                        if isinstance(block, ConvBnRelu):
                            _he_normal(block.weight, [streams[i] for i in owner])
                elif isinstance(module, CellBatch):
                    for block in module.projections.values():
                        _he_normal(block.weight, streams)  # type: ignore[arg-type]  # a ModuleDict hides what it holds
            _he_normal(self.stem.weight, streams)
            for g, rng in enumerate(streams):
                scale = self.head.shape[1] ** -0.5
                self.head[g] = torch.from_numpy(rng.normal(0, scale, self.head.shape[1:]))


def _he_normal(weight: nn.Parameter, streams: Sequence[np.random.Generator]) -> None:
    per_network = weight.unflatten(0, (len(streams), -1))  # (G, C_out, C_in, k, k)
    scale = (2 / per_network[0, 0].numel()) ** 0.5
    for g, rng in enumerate(streams):
        per_network[g] = torch.from_numpy(rng.normal(0, scale, per_network.shape[1:]))
