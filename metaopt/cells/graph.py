"""The pruned graph of a cell and its NAS-Bench-101 hash.

Notation: a graph has V vertices, 0 is the input, V-1 the output; ``adjacency[i][j] == 1`` is an edge i -> j, i < j.
``ops`` names the operation of every interior vertex, so it has V-2 entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

# The order is NAS-Bench-101's: an operation's place in it is its label in the hash.
OPS = ("conv3x3", "conv1x1", "maxpool3x3")
_INPUT_LABEL, _OUTPUT_LABEL = -1, -2

Adjacency = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class CellGraph:
    """A cell without dead vertices; build it with :func:`prune`.

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
        """Returns the graph whose :attr:`key` is ``key``.

        Raises:
            ValueError: if ``key`` was not written by :attr:`key`.
        """
        bits, *ops = key.split(":")
        n = len(ops) + 2
        if len(bits) != n * (n - 1) // 2 or set(bits) - {"0", "1"} or set(ops) - set(OPS):
            raise ValueError(f"not the key of a cell: {key!r}")
        digits = iter(bits)
        rows = (tuple(int(next(digits)) if j > i else 0 for j in range(n)) for i in range(n))
        return cls(tuple(rows), tuple(ops))


def prune(adjacency: Sequence[Sequence[int]], ops: Sequence[str]) -> CellGraph:
    """Removes every vertex that is not on a path from the input to the output.

    Args:
        adjacency: (V, V) strictly upper triangular, entries 0 or 1.
        ops: V-2 operations of the interior vertices.

    Raises:
        ValueError: if the output cannot be reached, or if a shape or an operation is not as stated.
    """
    n = len(adjacency)
    if len(ops) != n - 2 or any(len(row) != n for row in adjacency) or set(ops) - set(OPS):
        raise ValueError(f"need a square adjacency, an operation of {OPS} per interior vertex, got {ops} for V={n}")
    if any(adjacency[i][j] for i in range(n) for j in range(i + 1)):
        raise ValueError("adjacency must be strictly upper triangular")
    forward, backward = {0}, {n - 1}
    for j in range(1, n):
        if any(adjacency[i][j] for i in forward):
            forward.add(j)
    for i in range(n - 2, -1, -1):
        if any(adjacency[i][j] for j in backward):
            backward.add(i)
    live = sorted(forward & backward)
    if 0 not in live or n - 1 not in live:
        raise ValueError("the output cannot be reached from the input")
    return CellGraph(
        tuple(tuple(int(adjacency[i][j]) for j in live) for i in live),
        tuple(ops[v - 1] for v in live[1:-1]),
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _hash(adjacency: Adjacency, labels: Sequence[int]) -> str:
    """NAS-Bench-101's iterated graph hash (Ying et al. 2019, released code, graph_util).

    Stored hashes are compared with it, so every byte counts: the digests are taken of Python's own ``str`` of a tuple
    and of a list.
    """
    n = len(adjacency)
    sources = [[i for i in range(n) if adjacency[i][v]] for v in range(n)]
    targets = [[j for j in range(n) if adjacency[v][j]] for v in range(n)]
    hashes = [_md5(str((len(targets[v]), len(sources[v]), labels[v]))) for v in range(n)]
    for _ in range(n):
        before = [("".join(sorted([hashes[i] for i in around])) for around in sides) for sides in (sources, targets)]
        hashes = [_md5(f"{above}|{below}|{own}") for above, below, own in zip(*before, hashes, strict=True)]
    return _md5(str(sorted(hashes)))
