"""The three cell spaces of NAS-Bench-1Shot1 (Siems et al. 2020, section 3 and Table 1) and the cells in them.

Notation: node 0 is the cell's input, nodes 1..n are choice blocks, node n+1 is the output. Node j takes exactly
``n_parents[j - 1]`` distinct parents out of the nodes before it, and every choice block one operation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import OPS, CellGraph, prune


@dataclass(frozen=True)
class Cell:
    """One point of a cell space, dead nodes included; several cells may stand for the same graph.

    Attributes:
        parents: For nodes 1..n and the output, the ascending parents.
        ops: For nodes 1..n, one name out of :data:`metaopt.cells.graph.OPS`.
    """

    parents: tuple[tuple[int, ...], ...]
    ops: tuple[str, ...]

    @cached_property
    def graph(self) -> CellGraph:
        """The cell without its dead nodes."""
        n = len(self.parents) + 1
        adjacency = [[0] * n for _ in range(n)]
        for node, parents in enumerate(self.parents, start=1):
            for parent in parents:
                adjacency[parent][node] = 1
        return prune(adjacency, self.ops)


@dataclass(frozen=True)
class CellSpace:
    """A set of cells given by the number of parents of every node.

    Attributes:
        name: ``nb1shot1-1`` and so on.
        n_parents: For nodes 1..n and the output.
    """

    name: str
    n_parents: tuple[int, ...]

    @property
    def n_nodes(self) -> int:
        """n, the number of choice blocks."""
        return len(self.n_parents) - 1

    @cached_property
    def parent_choices(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For nodes 1..n and the output, every possible set of parents."""
        return tuple(
            tuple(itertools.combinations(range(node), size)) for node, size in enumerate(self.n_parents, start=1)
        )

    @cached_property
    def n_distinct(self) -> int:
        """Number of distinct graphs; of the published spaces known beforehand, as counting takes seconds."""
        return _N_DISTINCT.get(self.n_parents) or len(self.distinct_graphs())

    def sample(self, rng: np.random.Generator) -> Cell:
        """Draws every node's parents and operation independently and uniformly."""
        return Cell(
            tuple(choices[rng.integers(len(choices))] for choices in self.parent_choices),
            tuple(OPS[rng.integers(len(OPS))] for _ in range(self.n_nodes)),
        )

    def wirings(self) -> Iterator[tuple[tuple[int, ...], ...]]:
        """Yields every choice of parents, dead nodes included."""
        return itertools.product(*self.parent_choices)

    def distinct_graphs(self) -> Mapping[str, CellGraph]:
        """Returns every distinct graph of the space by its hash, in a fixed order; found once, as it takes seconds."""
        return MappingProxyType(_distinct_graphs(self))

    def neighbours(self, cell: Cell, *, swap: bool = False) -> list[Cell]:
        """Returns all cells that differ from ``cell`` in one node's operation or one node's parents.

        Args:
            cell: A cell of this space.
            swap: Only exchange one parent for another instead of choosing any other set of parents.
        """
        found = []
        for node, choices in enumerate(self.parent_choices):
            old = set(cell.parents[node])
            for new in choices:
                if set(new) != old and (not swap or len(old - set(new)) == 1):
                    found.append(replace(cell, parents=_put(cell.parents, node, new)))
        for node, old_op in enumerate(cell.ops):
            found += [replace(cell, ops=_put(cell.ops, node, op)) for op in OPS if op != old_op]
        return found

    def embed(self, graph: CellGraph) -> Cell | None:
        """Returns a cell of this space whose graph is isomorphic to ``graph``, or None if there is none.

        A live node keeps all its parents, so the vertices of ``graph`` go to nodes that take as many parents as they
        have; the nodes left over are dead and take the lowest parents.
        """
        n = graph.n_vertices
        if n - 2 > self.n_nodes:
            return None
        for order in itertools.permutations(range(1, n - 1)):
            for nodes in itertools.combinations(range(1, self.n_nodes + 1), n - 2):
                place = {0: 0, n - 1: self.n_nodes + 1, **dict(zip(order, nodes, strict=True))}
                cell = self._place(graph, place)
                if cell is not None:
                    return cell
        return None

    def _place(self, graph: CellGraph, place: dict[int, int]) -> Cell | None:
        parents = {place[v]: tuple(sorted(place[i] for i in graph.parents(v))) for v in range(1, graph.n_vertices)}
        if any(len(ps) != self.n_parents[node - 1] or max(ps) >= node for node, ps in parents.items()):
            return None
        ops = {place[v]: graph.ops[v - 1] for v in range(1, graph.n_vertices - 1)}
        nodes = range(1, self.n_nodes + 2)
        return Cell(
            tuple(parents.get(node, self.parent_choices[node - 1][0]) for node in nodes),
            tuple(ops.get(node, OPS[0]) for node in nodes[:-1]),
        )


@cache
def _distinct_graphs(space: CellSpace) -> dict[str, CellGraph]:
    """Enumerates a space.

    Wirings are pruned before operations are put on them, so that the work is done once for all cells that differ
    in dead nodes only: 118,524 instead of 1,312,200 labeled graphs in space 3.
    """
    blank = (OPS[0],) * space.n_nodes
    shapes = dict.fromkeys(Cell(wiring, blank).graph.adjacency for wiring in space.wirings())
    graphs: dict[str, CellGraph] = {}
    for adjacency in shapes:
        for ops in itertools.product(OPS, repeat=len(adjacency) - 2):
            graph = CellGraph(adjacency, ops)
            graphs.setdefault(graph.hash, graph)
    return graphs


def _put(values: tuple[Any, ...], index: int, value: object) -> tuple[Any, ...]:
    return (*values[:index], value, *values[index + 1 :])


_N_DISTINCT = {(1, 2, 2, 2, 2): 2_685, (1, 1, 2, 2, 3): 7_773, (1, 1, 1, 2, 2, 2): 55_854}

# Parents of nodes 1..n and of the output: 1Shot1 Table 1.
CELL_SPACES = {
    1: CellSpace("nb1shot1-1", (1, 2, 2, 2, 2)),
    2: CellSpace("nb1shot1-2", (1, 1, 2, 2, 3)),
    3: CellSpace("nb1shot1-3", (1, 1, 1, 2, 2, 2)),
}


def memberships(hashes: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Returns for each hash which cell spaces have a cell of it: bit s-1 for cell space s.

    All three are enumerated for it, which takes some 20 s.

    Args:
        hashes: (K,) of 32 hexadecimal digits each.
    """
    bits = np.zeros(len(hashes), dtype=np.uint8)
    for number, space in CELL_SPACES.items():
        own = np.array(list(space.distinct_graphs()), dtype="S32")
        bits |= np.isin(hashes, own).astype(np.uint8) << (number - 1)
    return bits
