"""What a surrogate sees of a cell: numbers for trees, and padded graphs for a graph network.

Both are the same for isomorphic cells (the graph network's up to rounding, as its sums have another order), so a model
cannot answer two ways about one network.

Notation: N cells, F features, P = :data:`POSITIONS` vertices of a padded graph.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import OPS, CellGraph
from metaopt.core.arrays import Floats

#: Vertices of the largest cell: NAS-Bench-101's limit (Ying et al. 2019, section 2.1).
POSITIONS = 7
#: Labels of vertices: input, operations, output; the last stands for the places that a smaller cell leaves empty.
LABELS = ("input", *OPS, "output", "none")
#: Every sequence of operations from the input to the output that a cell can have, shorter ones first (BANANAS, White
#: et al. 2021, section 3: the path encoding, here with counts in place of presence).
PATHS = tuple(path for length in range(POSITIONS - 1) for path in itertools.product(OPS, repeat=length))

_EDGES = tuple(itertools.product(LABELS[:-2], LABELS[1:-1]))
_DEGREES = tuple(itertools.product(OPS, (1, 2, 3), (1, 2, 3)))
_TRIPLES = tuple(itertools.product(LABELS[:-2], OPS, LABELS[1:-1]))
_DEPTHS = tuple(itertools.product(OPS, range(1, POSITIONS - 1)))
_SHAPE = ("vertices", "edges", "paths", "shortest", "longest")
_ON_PATHS = tuple(f"{what} {op} on a path" for op in ("convolutions", *OPS) for what in ("fewest", "most", "mean"))
#: Names of the F features, for whoever looks into a model.
FEATURES = (
    *(f"paths {'>'.join(path) or 'direct'}" for path in PATHS),
    *(f"edges {source}>{target}" for source, target in _EDGES),
    *(f"{op} with {i}{'+' * (i == 3)} in, {o}{'+' * (o == 3)} out" for op, i, o in _DEGREES),
    *(f"steps {'>'.join(triple)}" for triple in _TRIPLES),
    *(f"{op} at {depth} from the input" for op, depth in _DEPTHS),
    *(f"{op} at {depth} from the output" for op, depth in _DEPTHS),
    *OPS,
    *_SHAPE,
    *_ON_PATHS,
)


class Cells:
    """Cells with their encodings, each made when it is first asked for and kept by every selection.

    Args:
        graphs: Pruned cells of at most :data:`POSITIONS` vertices.

    Raises:
        ValueError: if a cell has more vertices.
    """

    def __init__(self, graphs: Sequence[CellGraph]) -> None:
        if any(graph.n_vertices > POSITIONS for graph in graphs):
            raise ValueError(f"a cell has more than {POSITIONS} vertices")
        self.graphs = graphs

    def __len__(self) -> int:
        return len(self.graphs)

    @cached_property
    def features(self) -> Floats:
        """(N, F), columns as :data:`FEATURES` says."""
        return np.array([_features(graph) for graph in self.graphs], dtype=float).reshape(-1, len(FEATURES))

    @cached_property
    def adjacency(self) -> NDArray[np.bool_]:
        """(N, P, P): an edge from the second to the third index; empty places have none."""
        padded = np.zeros((len(self), POSITIONS, POSITIONS), dtype=bool)
        for row, graph in zip(padded, self.graphs, strict=True):
            row[: graph.n_vertices, : graph.n_vertices] = graph.adjacency
        return padded

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """(N, P) places in :data:`LABELS`."""
        padded = np.full((len(self), POSITIONS), len(LABELS) - 1)
        for row, graph in zip(padded, self.graphs, strict=True):
            row[: graph.n_vertices] = [LABELS.index(label) for label in _labels(graph)]
        return padded

    def select(self, rows: NDArray[np.int64]) -> Cells:
        """Returns the cells of some rows, in their order, with what has been encoded already."""
        chosen = Cells([self.graphs[row] for row in rows])
        for name in ("features", "adjacency", "labels"):
            if name in self.__dict__:
                chosen.__dict__[name] = self.__dict__[name][rows]
        return chosen


def _labels(graph: CellGraph) -> list[str]:
    return ["input", *graph.ops, "output"]


def paths(graph: CellGraph) -> Counter[tuple[str, ...]]:
    """Returns how many paths from the input to the output have which sequence of operations."""
    reaching: list[Counter[tuple[str, ...]]] = [Counter({(): 1})]
    for vertex in range(1, graph.n_vertices):
        own = (graph.ops[vertex - 1],) if vertex < graph.n_vertices - 1 else ()
        here: Counter[tuple[str, ...]] = Counter()
        for parent in graph.parents(vertex):
            for path, count in reaching[parent].items():
                here[path + own] += count
        reaching.append(here)
    return reaching[-1]


def _features(graph: CellGraph) -> list[float]:
    found, labels, edges = paths(graph), _labels(graph), graph.edges
    between = Counter((labels[i], labels[j]) for i, j in edges)
    into, out = Counter(j for _, j in edges), Counter(i for i, _ in edges)
    degrees = Counter((labels[v], min(into[v], 3), min(out[v], 3)) for v in range(1, graph.n_vertices - 1))
    lengths = [len(path) for path in found]
    return [
        *(found[path] for path in PATHS),
        *(between[edge] for edge in _EDGES),
        *(degrees[degree] for degree in _DEGREES),
        *_triples(graph, labels),
        *_depths(graph),
        *(graph.ops.count(op) for op in OPS),
        graph.n_vertices,
        len(edges),
        found.total(),
        min(lengths),
        max(lengths),
        *_on_paths(found),
    ]


def _triples(graph: CellGraph, labels: list[str]) -> list[int]:
    """Returns how many pairs of successive edges join which three labels."""
    steps = Counter((labels[i], labels[j], labels[k]) for i, j in graph.edges for j_, k in graph.edges if j_ == j)
    return [steps[triple] for triple in _TRIPLES]


def _depths(graph: CellGraph) -> list[int]:
    """Returns how many operations of which kind are how far, by the longest way, from the input and the output."""
    n = graph.n_vertices
    down, up = [0] * n, [0] * n
    for i, j in graph.edges:  # ordered by target
        down[j] = max(down[j], down[i] + 1)
    for i, j in reversed(graph.edges):
        up[i] = max(up[i], up[j] + 1)
    counts = (Counter(zip(graph.ops, far[1:-1], strict=True)) for far in (down, up))
    return [count[depth] for count in counts for depth in _DEPTHS]


def _on_paths(found: Counter[tuple[str, ...]]) -> list[float]:
    values: list[float] = []
    for ops in (("conv3x3", "conv1x1"), *((op,) for op in OPS)):
        counts = {path: sum(path.count(op) for op in ops) for path in found}
        mean = sum(counts[path] * times for path, times in found.items()) / found.total()
        values += [min(counts.values()), max(counts.values()), mean]
    return values
