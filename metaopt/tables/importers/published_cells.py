"""Cells as published files spell them."""

from __future__ import annotations

import math
from functools import lru_cache

from metaopt.cells.graph import OPS, CellGraph, prune
from metaopt.core.errors import CellError

#: NAS-Bench-101's names of the operations, in the order of :data:`metaopt.cells.graph.OPS`.
PUBLISHED_OPS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
_OP = dict(zip(PUBLISHED_OPS, OPS, strict=True))


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
    if _is_whole(adjacency):
        return CellGraph(rows, names)
    try:
        return prune(rows, names)
    except CellError as error:
        raise ValueError(f"has the adjacency {adjacency[:60]}: {error.message}") from None


@lru_cache(maxsize=1 << 16)
def _is_whole(adjacency: str) -> bool:
    """Says whether it is that of a cell without dead vertices, whatever its operations: nothing is to be pruned."""
    rows = matrix(adjacency)
    try:
        return prune(rows, (OPS[0],) * (len(rows) - 2)).adjacency == rows
    except CellError:
        return False
