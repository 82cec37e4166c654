"""A cell drawn as a graph: layers from left to right, edges as smooth lines that pass between the operations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from metaopt.cells.graph import CellGraph
from metaopt.report.figures.style import LIGHT, Plot, canvas

_LABELS = {"conv3x3": "conv\n3×3", "conv1x1": "conv\n1×1", "maxpool3x3": "max\n3×3"}
_WIDTH, _HEIGHT = 0.70, 0.52  # of a box, in units of the distance of two layers
_SWEEPS = 4

# A vertex, or the place where an edge (source, target) passes a layer.
Node = int | tuple[int, int]


def layers(graph: CellGraph) -> list[list[Node]]:
    """Puts vertices into layers by their longest path from the input; edges get a place in every layer they pass.

    Sugiyama, Tagawa and Toda (1981): layers, then the order inside each one by the mean place of its neighbours,
    sweeping to and fro and keeping the order with the fewest crossings.
    """
    depth = _depths(graph)
    found: list[list[Node]] = [[] for _ in range(depth[-1] + 1)]
    for vertex in range(graph.n_vertices):
        found[depth[vertex]].append(vertex)
    for i, j in graph.edges:
        for layer in range(depth[i] + 1, depth[j]):
            found[layer].append((i, j))
    best = found
    for sweep in range(_SWEEPS):
        found = _sweep(graph, found, forward=sweep % 2 == 0)
        if _crossings(graph, found) < _crossings(graph, best):
            best = found
    return best


def _depths(graph: CellGraph) -> list[int]:
    depth: list[int] = []
    for vertex in range(graph.n_vertices):
        depth.append(max((depth[parent] + 1 for parent in graph.parents(vertex)), default=0))
    return depth


def chain(graph: CellGraph, edge: tuple[int, int]) -> list[Node]:
    """Returns the nodes that ``edge`` runs through, one per layer."""
    depth = _depths(graph)
    return [edge[0], *[edge] * (depth[edge[1]] - depth[edge[0]] - 1), edge[1]]


def _links(graph: CellGraph, found: Sequence[Sequence[Node]], layer: int) -> list[tuple[int, int]]:
    """Places of all lines between ``layer`` and the next one."""
    depth = _depths(graph)
    links = []
    for i, j in graph.edges:
        if depth[i] <= layer < depth[j]:
            left: Node = i if depth[i] == layer else (i, j)
            right: Node = j if depth[j] == layer + 1 else (i, j)
            links.append((found[layer].index(left), found[layer + 1].index(right)))
    return links


def _crossings(graph: CellGraph, found: Sequence[Sequence[Node]]) -> int:
    count = 0
    for layer in range(len(found) - 1):
        links = _links(graph, found, layer)
        count += sum((a - c) * (b - d) < 0 for n, (a, b) in enumerate(links) for c, d in links[:n])
    return count


def _sweep(graph: CellGraph, found: Sequence[Sequence[Node]], *, forward: bool) -> list[list[Node]]:
    """Orders each layer by the mean place of its neighbours in the layer before (after, if not ``forward``)."""
    order = [list(layer) for layer in found]
    steps = range(len(order) - 1) if forward else range(len(order) - 2, -1, -1)
    for layer in steps:
        links = _links(graph, order, layer)
        fixed, moved = (layer, layer + 1) if forward else (layer + 1, layer)
        pairs = links if forward else [(right, left) for left, right in links]
        means = []
        for place in range(len(order[moved])):
            near = [source - len(order[fixed]) / 2 for source, target in pairs if target == place]
            means.append(sum(near) / len(near) if near else 0.0)
        order[moved] = [order[moved][k] for k in sorted(range(len(means)), key=means.__getitem__)]
    return order


def cell_plot(graph: CellGraph, name: str, title: str, caption: str) -> Plot:
    """Draws a cell."""
    order = layers(graph)
    tallest = max(len(layer) for layer in order)
    figure, axes = canvas(360, 40 + 54 * max(2, tallest))
    place: dict[Node, tuple[float, float]] = {
        node: (float(x), (len(layer) - 1) / 2 - y) for x, layer in enumerate(order) for y, node in enumerate(layer)
    }
    # An edge's place in several layers shares one name, so its heights are looked up layer by layer.
    for edge in graph.edges:
        start = round(place[edge[0]][0])
        _draw_edge(axes, [_point(order, start + k, node) for k, node in enumerate(chain(graph, edge))])
    for vertex in range(graph.n_vertices):
        _draw_vertex(axes, graph, vertex, *place[vertex])
    axes.set_xlim(-0.55, len(order) - 0.45)
    axes.set_ylim(-tallest / 2, tallest / 2)
    axes.set_axis_off()
    return Plot(name, title, caption, figure)


def _point(order: Sequence[Sequence[Node]], layer: int, node: Node) -> tuple[float, float]:
    return float(layer), (len(order[layer]) - 1) / 2 - order[layer].index(node)


def _draw_edge(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """Draws a line with level tangents through ``points``, from border to border of the boxes at its ends."""
    (x0, y0), *middle, (x1, y1) = points
    stops = [(x0 + _WIDTH / 2, y0), *middle, (x1 - _WIDTH / 2, y1)]
    vertices, codes = [stops[0]], [Path.MOVETO]
    for (ax, ay), (bx, by) in pairwise(stops):
        reach = (bx - ax) / 2
        vertices += [(ax + reach, ay), (bx - reach, by), (bx, by)]
        codes += [Path.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-|>,head_length=4,head_width=2.4",
            color=LIGHT["muted"],
            linewidth=1.3,
            shrinkA=0,
            shrinkB=0,
        )
    )


def _draw_vertex(axes: Axes, graph: CellGraph, vertex: int, x: float, y: float) -> None:
    ends = {0: "in", graph.n_vertices - 1: "out"}
    op = "terminal" if vertex in ends else graph.ops[vertex - 1]
    axes.add_patch(
        FancyBboxPatch(
            (x - _WIDTH / 2, y - _HEIGHT / 2),
            _WIDTH,
            _HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=LIGHT[op],
            edgecolor=LIGHT["rule"],
            linewidth=0.9,
        )
    )
    axes.text(x, y, ends.get(vertex) or _LABELS[op], ha="center", va="center", linespacing=1.05)
