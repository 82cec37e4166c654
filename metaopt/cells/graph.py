"""The pruned graph of a cell and its NAS-Bench-101 hash.

Notation: a graph has V vertices, 0 is the input, V-1 the output; ``adjacency[i][j] == 1`` is an edge i -> j, i < j.
``ops`` names the operation of every interior vertex, so it has V-2 entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from metaopt.core.errors import CellError

# The order is NAS-Bench-101's: an operation's place in it is its label in the hash.
OPS = ("conv3x3", "conv1x1", "maxpool3x3")
_INPUT_LABEL, _OUTPUT_LABEL = -1, -2
#: NAS-Bench-101's limits of a pruned cell (Ying et al. 2019, section 2.1); many a step takes V! where nothing limits V.
MOST_VERTICES, MOST_EDGES = 7, 9
#: Of a key that is no cell's, a message shows so many characters.
_SHOWN = 60

Adjacency = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class CellGraph:
    """A cell without dead vertices; build it with :func:`prune` or :meth:`from_key`, which check what they are given.

    Attributes:
        adjacency: (V, V) strictly upper triangular, entries 0 or 1.
        ops: V-2 names out of :data:`OPS`, of the interior vertices in order.
    """

    adjacency: Adjacency
    ops: tuple[str, ...]

    @property
    def n_vertices(self) -> int:
        """V, the number of vertices with input and output."""
        return len(self.adjacency)

    @property
    def edges(self) -> list[tuple[int, int]]:
        """All edges (i, j), ordered by target and then by source."""
        return [(i, j) for j in range(self.n_vertices) for i in range(j) if self.adjacency[i][j]]

    def parents(self, vertex: int) -> list[int]:
        """Returns the sources of the edges into ``vertex``, ascending."""
        return [i for i in range(vertex) if self.adjacency[i][vertex]]

    @cached_property
    def hash(self) -> str:
        """The NAS-Bench-101 hash (32 hexadecimal digits), equal for isomorphic graphs."""
        labels = (_INPUT_LABEL, *(OPS.index(op) for op in self.ops), _OUTPUT_LABEL)
        return _hash(self.adjacency, labels)

    @property
    def key(self) -> str:
        """A short readable form that :meth:`from_key` reads back: upper triangle bit by bit, then the operations."""
        n = self.n_vertices
        bits = "".join(str(self.adjacency[i][j]) for i in range(n) for j in range(i + 1, n))
        return ":".join((bits, *self.ops))

    @classmethod
    def from_key(cls, key: str) -> CellGraph:
        """Returns the graph whose :attr:`key` is ``key``, without its dead vertices if it has any.

        Raises:
            CellError: if ``key`` is not what :attr:`key` writes, or tells of no cell; see :func:`prune`.
        """
        bits, *ops = key.split(":")
        n = len(ops) + 2
        if len(bits) != n * (n - 1) // 2 or set(bits) - {"0", "1"} or set(ops) - set(OPS):
            raise CellError(
                f"{key[:_SHOWN]!r} is not the key of a cell",
                "a key is the upper triangle of the adjacency, row after row, and the operations, such as 111:conv3x3",
            )
        digits = iter(bits)
        return prune([[int(next(digits)) if j > i else 0 for j in range(n)] for i in range(n)], ops)


def prune(adjacency: Sequence[Sequence[int]], ops: Sequence[str]) -> CellGraph:
    """Removes every vertex that is not on a path from the input to the output.

    Args:
        adjacency: (V, V) strictly upper triangular, entries 0 or 1.
        ops: V-2 operations of the interior vertices.

    Raises:
        CellError: if the output cannot be reached, if a shape or an operation is not as stated, or if what is left has
            more than :data:`MOST_VERTICES` vertices or :data:`MOST_EDGES` edges.
    """
    n = len(adjacency)
    if len(ops) != n - 2 or any(len(row) != n for row in adjacency) or set(ops) - set(OPS):
        raise CellError(
            f"a cell of {n} vertices has {len(ops)} operations, or an adjacency that is not square",
            f"needed: an operation of {', '.join(OPS)} per vertex between input and output",
        )
    if any(adjacency[i][j] for i in range(n) for j in range(i + 1)):
        raise CellError(
            "the adjacency is not strictly upper triangular", "edges go from earlier vertices to later ones"
        )
    forward, backward = {0}, {n - 1}
    for j in range(1, n):
        if any(adjacency[i][j] for i in forward):
            forward.add(j)
    for i in range(n - 2, -1, -1):
        if any(adjacency[i][j] for j in backward):
            backward.add(i)
    live = sorted(forward & backward)
    if 0 not in live or n - 1 not in live:
        raise CellError("the output cannot be reached from the input", "a cell has a path from input to output")
    rows = tuple(tuple(int(adjacency[i][j]) for j in live) for i in live)
    edges = sum(map(sum, rows))
    if len(live) > MOST_VERTICES or edges > MOST_EDGES:
        raise CellError(
            f"the cell has {len(live)} vertices and {edges} edges that count; allowed: {MOST_VERTICES} and "
            f"{MOST_EDGES}",
            "these are the limits of NAS-Bench-101, whose cells all tables and cell spaces here are made of",
        )
    return CellGraph(rows, tuple(ops[v - 1] for v in live[1:-1]))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=1 << 12)
def _around(adjacency: Adjacency) -> tuple[tuple[list[int], list[int]], ...]:
    """Returns the sources and the targets of every vertex; the cells of a file share few adjacencies."""
    n = len(adjacency)
    return tuple(([i for i in range(n) if adjacency[i][v]], [j for j in range(n) if adjacency[v][j]]) for v in range(n))


def _hash(adjacency: Adjacency, labels: Sequence[int]) -> str:
    """NAS-Bench-101's iterated graph hash (Ying et al. 2019, released code, graph_util).

    Stored hashes are compared with it, so every byte counts: the digests are taken of Python's own ``str`` of a tuple
    and of a list.
    """
    around = _around(adjacency)
    hashes = [_first(len(out), len(into), label) for (into, out), label in zip(around, labels, strict=True)]
    for _ in around:
        # Most vertices have one source or one target, and every one counts: files hold half a million cells.
        before, hashes = hashes, []
        for own, (into, out) in zip(before, around, strict=True):
            above = before[into[0]] if len(into) == 1 else "".join(sorted([before[i] for i in into]))
            below = before[out[0]] if len(out) == 1 else "".join(sorted([before[j] for j in out]))
            hashes.append(_md5(f"{above}|{below}|{own}"))
    return _md5(str(sorted(hashes)))


@lru_cache(maxsize=1 << 10)
def _first(targets: int, sources: int, label: int) -> str:
    """Returns what a vertex's hash begins with."""
    return _md5(str((targets, sources, label)))
