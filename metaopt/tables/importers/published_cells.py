"""Cells as published files spell them, and the hashes that stand beside them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import OPS, CellGraph, prune
from metaopt.errors import CellError, TableError

#: NAS-Bench-101's names of the operations, in the order of :data:`metaopt.cells.graph.OPS`.
PUBLISHED_OPS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
_OP = dict(zip(PUBLISHED_OPS, OPS, strict=True))


@dataclass(frozen=True)
class HashSample:
    """Which cells of a file have their stored hash compared with one that is computed: that takes some 0.2 ms each.

    Attributes:
        first: So many from the front.
        every: And one in so many of the rest; 0: none.
    """

    first: int
    every: int

    def __str__(self) -> str:
        rest = f", and one in {self.every} of the others" if self.every else ""
        return f"the first {self.first:,} cells{rest}"

    def of(self, cells: int) -> NDArray[np.intp]:
        """Returns the numbers of the cells to check, out of 0 to ``cells - 1``."""
        numbers = np.arange(cells)
        return np.flatnonzero((numbers < self.first) | (numbers % self.every == 0 if self.every else False))

    def verify(self, cells: int, hash_of: Callable[[int], str], graph_of: Callable[[int], CellGraph], file: str) -> int:
        """Compares the hashes of the sample; returns how many.

        Args:
            cells: How many there are.
            hash_of: Gives the stored hash of a cell by its number.
            graph_of: Gives its graph.
            file: What they come from.

        Raises:
            TableError: if a stored hash is not that of its graph.
        """
        sample = self.of(cells).tolist()
        for cell in sample:
            if (stored := hash_of(cell)) != (own := graph_of(cell).hash):
                raise wrong_hash(stored, own, graph_of(cell).key, file)
        return len(sample)


def wrong_hash(stored: str, own: str, key: str, file: str) -> TableError:
    """Returns the error of a cell whose stored hash is not that of its graph."""
    return TableError(
        f"{file} says that the cell {key} has the hash {stored}; NAS-Bench-101's hash of it is {own}",
        "the cells of this file are mixed up: get it from its publisher again",
    )


@lru_cache(maxsize=1 << 16)
def matrix(text: str) -> tuple[tuple[int, ...], ...]:
    """Returns the adjacency that a text of digits spells, row after row.

    Raises:
        ValueError: if it is not square or not strictly upper triangular; says so without a subject.
    """
    size = math.isqrt(len(text))
    if size < 2 or size * size != len(text) or set(text) - {"0", "1"}:
        raise ValueError(f"has the adjacency {text[:60]!r}; needed: the 0s and 1s of a square matrix, row after row")
    rows = tuple(tuple(map(int, text[row * size : (row + 1) * size])) for row in range(size))
    if any(rows[i][j] for i in range(size) for j in range(i + 1)):
        raise ValueError(f"has the adjacency {text[:60]}, which is not strictly upper triangular")
    return rows


@lru_cache(maxsize=1 << 12)
def operations(text: str) -> tuple[str, ...]:
    """Returns the operations of the interior vertices that a text such as ``input,conv3x3-bn-relu,output`` names.

    Raises:
        ValueError: if it starts or ends with another vertex, or names an unknown operation; says so without a subject.
    """
    first, *names, last = text.split(",") if "," in text else ("", "")
    if (first, last) != ("input", "output"):
        raise ValueError(f"has the operations {text[:120]!r}; needed: input,...,output")
    if unknown := sorted(set(names) - set(_OP)):
        raise ValueError(f"has the operation {unknown[0][:60]!r}; allowed: {', '.join(PUBLISHED_OPS)}")
    return tuple(_OP[name] for name in names)


def graph(adjacency: str, ops: str) -> CellGraph:
    """Returns the pruned graph of a cell, see :func:`matrix` and :func:`operations`.

    Raises:
        ValueError: if one of them is not as it should be, they do not fit, or they tell of no cell; says so without a
            subject.
    """
    rows, names = matrix(adjacency), operations(ops)
    if len(rows) != len(names) + 2:
        raise ValueError(f"has an adjacency of {len(rows)} vertices and operations of {len(names) + 2}")
    try:
        return prune(rows, names)
    except CellError as error:
        raise ValueError(f"has the adjacency {adjacency[:60]}: {error.message}") from None


def key(adjacency: str, ops: str) -> str:
    """Returns the key of :func:`graph`, twenty times as fast where no vertex is dead."""
    whole = _whole(adjacency)
    names = operations(ops)
    if whole is None or len(matrix(adjacency)) != len(names) + 2:
        return graph(adjacency, ops).key
    return ":".join((whole, *names))


@lru_cache(maxsize=1 << 16)
def _whole(adjacency: str) -> str | None:
    """Returns the first part of the key, which an adjacency has whatever its operations; None if a vertex is dead."""
    rows = matrix(adjacency)
    blank = CellGraph(rows, (OPS[0],) * (len(rows) - 2))
    try:
        return blank.key.partition(":")[0] if prune(rows, blank.ops) == blank else None
    except ValueError:
        return None
