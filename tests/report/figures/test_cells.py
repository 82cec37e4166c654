from __future__ import annotations

import numpy as np
import pytest

from metaopt.cells.graph import CellGraph, prune
from metaopt.cells.space import CELL_SPACES
from metaopt.report.figures.cells import _crossings, cell_plot, chain, layers


@pytest.fixture
def diamond() -> CellGraph:
    """in -> a, b; a -> out; b -> out; in -> out."""
    return prune([[0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], ["conv3x3", "maxpool3x3"])


def test_layers_follow_the_longest_path(diamond: CellGraph) -> None:
    found = layers(diamond)
    assert [found[0], found[2]] == [[0], [3]]
    assert set(found[1]) == {1, 2, (0, 3)}
    assert chain(diamond, (0, 3)) == [0, (0, 3), 3]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_edge_runs_strictly_rightwards_through_every_layer(number: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        graph = CELL_SPACES[number].sample(rng).graph
        found = layers(graph)
        place = {node: x for x, layer in enumerate(found) for node in layer if isinstance(node, int)}
        assert sorted(place) == list(range(graph.n_vertices))
        for edge in graph.edges:
            nodes = chain(graph, edge)
            assert len(nodes) == place[edge[1]] - place[edge[0]] + 1
            assert all(node in found[place[edge[0]] + step] for step, node in enumerate(nodes))


def test_the_order_never_adds_crossings() -> None:
    # in -> a, b; a -> d, b -> c: drawn in the order a b / c d the two lines cross.
    graph = prune(
        [[0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0], [0] * 5 + [1], [0] * 5 + [1], [0] * 6],
        ["conv3x3", "conv1x1", "conv3x3", "conv1x1"],
    )
    assert _crossings(graph, [[0], [1, 2], [3, 4], [5]]) == 1
    assert _crossings(graph, layers(graph)) == 0


def test_everything_is_drawn(diamond: CellGraph) -> None:
    axes = cell_plot(diamond, "cell", "Cell", "A cell.").figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["in", "conv\n3×3", "max\n3×3", "out"]
    assert len(axes.patches) == len(diamond.edges) + 4
