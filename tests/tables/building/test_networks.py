from __future__ import annotations

import pytest
import torch

from metaopt.cells.graph import CellGraph
from metaopt.tables.building.networks import NetworkBatch, vertex_channels
from metaopt.tables.protocol import NetworkScale

# 0 -> 1, 2, 3; 1 -> 4; 4, 2, 3 -> 5: three parents of the output, and vertex 1 feeds vertex 4 only
FAN = CellGraph.from_key("11100" + "0010" + "001" + "01" + "1" + ":conv3x3:conv1x1:maxpool3x3:conv3x3")
CHAIN = CellGraph.from_key("111:conv3x3")  # 0 -> 1, 0 -> 2, 1 -> 2


def with_ops(graph: CellGraph, *ops: str) -> CellGraph:
    return CellGraph(graph.adjacency, ops)


def test_channels_of_the_vertices() -> None:
    # 8 channels over three parents of the output: 3 + 3 + 2, the first ones take the remainder
    assert [v for v in FAN.parents(5) if v] == [2, 3, 4]
    assert vertex_channels(FAN, 8) == [2, 3, 3, 2]
    assert vertex_channels(CHAIN, 8) == [8]


def test_parameters_by_hand() -> None:
    scale = NetworkScale(channels=4, stacks=2, cells=1, in_channels=1, classes=10)
    net = NetworkBatch([CHAIN], scale)

    def conv_bn(c_in: int, c_out: int, k: int) -> int:
        return c_in * c_out * k * k + 2 * c_out

    stack = [2 * conv_bn(4, c, 1) + conv_bn(c, c, 3) for c in (4, 8)]  # two projections and the vertex
    expected = conv_bn(1, 4, 3) + sum(stack) + 8 * 10 + 10
    assert sum(p.numel() for p in net.parameters()) == expected


def test_networks_beside_each_other_equal_networks_alone() -> None:
    graphs = [
        with_ops(FAN, *ops)
        for ops in (
            ("conv3x3", "conv1x1", "maxpool3x3", "conv3x3"),
            ("conv1x1", "conv1x1", "conv3x3", "maxpool3x3"),
            ("maxpool3x3", "conv3x3", "conv3x3", "maxpool3x3"),
        )
    ]
    names = [(seed, graph.hash) for seed, graph in enumerate(graphs)]
    images = torch.randn(5, 8, 8, 1, 1, generator=torch.Generator().manual_seed(0))
    together = NetworkBatch(graphs, NetworkScale())
    together.initialise(names)
    logits = together(images.expand(-1, -1, -1, 3, -1))
    assert logits.shape == (5, 3, 10)
    for g, (graph, name) in enumerate(zip(graphs, names, strict=True)):
        alone = NetworkBatch([graph], NetworkScale())
        alone.initialise([name])
        torch.testing.assert_close(alone(images)[:, 0], logits[:, g], rtol=1e-4, atol=1e-4)


def test_no_network_sees_another() -> None:
    graphs = [CHAIN, with_ops(CHAIN, "conv1x1")]
    net = NetworkBatch(graphs, NetworkScale())
    net.initialise([(0, "a"), (0, "b")])
    images = torch.randn(4, 8, 8, 2, 1, generator=torch.Generator().manual_seed(0), requires_grad=True)
    net(images)[:, 0].square().sum().backward()
    assert images.grad is not None
    assert images.grad[:, :, :, 0].abs().sum() > 0
    assert images.grad[:, :, :, 1].abs().sum() == 0
    assert net.stem.weight.grad is not None
    first, second = net.stem.weight.grad.unflatten(0, (2, -1))
    assert first.abs().sum() > 0
    assert second.abs().sum() == 0


def test_different_wirings_are_refused() -> None:
    with pytest.raises(ValueError, match="one wiring"):
        NetworkBatch([CHAIN, FAN], NetworkScale())
