"""What every importer demands of every evaluation, whatever the file is; each says in the same form what is wrong.

Cells have the limits of NAS-Bench-101; isomorphic ones are one cell. A hash that a file gives is that of its graph.
Errors are shares, times are above 0, all trainings of a cell have as many weights, and no training is there twice.

Notation: n evaluations in the order of their file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.core.errors import TableError

_Cell = TypeVar("_Cell")
#: Cells between two reports of checking them.
_EVERY = 4096


class Report(Protocol):
    """Is told how far an import is."""

    def __call__(self, done: int, total: int, what: str = "bytes") -> None:
        """Takes what is done, and all that is to be done, of the bytes that are read or the cells that are checked."""


def counting(cells: Sequence[_Cell], report: Report) -> Iterator[_Cell]:
    """Yields cells that are checked one by one, and reports now and then; says nothing of a few."""
    for number, cell in enumerate(cells, start=1):
        yield cell
        if number % _EVERY == 0:
            report(number, len(cells), "cells")


def refused(file: Path, place: str, what: str, hint: str) -> TableError:
    """Returns the error of one place of a file.

    Args:
        file: The file.
        place: The place, such as ``line 3``.
        what: What is wrong, without a subject.
        hint: The next step.
    """
    return TableError(f"{file}, {place}, {what}", hint)


def check_hash(stored: str, graph: CellGraph) -> None:
    """Checks a hash that a file gives.

    Raises:
        ValueError: if it is not that of the graph; says so without a subject.
    """
    if stored != graph.hash:
        raise ValueError(f"has the cell {graph.key} with the hash {stored[:60]}; NAS-Bench-101's of it is {graph.hash}")


def impossible(values: NDArray[Any], kind: str) -> NDArray[np.bool_]:
    """Says which values cannot be.

    Args:
        values: Any numbers.
        kind: ``share``: in [0, 1]; ``seconds``: above 0, which an evaluation of any length takes.
    """
    possible = (values >= 0) & (values <= 1) if kind == "share" else (values > 0) & (values < np.inf)
    return ~possible


#: What :func:`impossible` allows, in words.
ALLOWED = {"share": "0 to 1", "seconds": "above 0"}


def differing(of_cell: NDArray[Any], values: NDArray[Any]) -> tuple[int, int] | None:
    """Returns the first evaluation with another value than an earlier one of the same cell, and that; None if none.

    Args:
        of_cell: (n,) numbers of the cells, from 0 without gaps.
        values: (n,) of what belongs to the cell.
    """
    first = np.unique(of_cell, return_index=True)[1][of_cell]
    wrong = values != values[first]
    if not wrong.any():
        return None
    index = int(np.argmax(wrong))
    return index, int(first[index])


def same_training(of_cell: NDArray[Any], of_training: NDArray[np.uint64]) -> tuple[int, int] | None:
    """Returns two evaluations that are one, the first of the file and the next; None if there are none.

    Args:
        of_cell: (n,) numbers of the cells.
        of_training: (n,) what tells one training of a cell from another, see :func:`fingerprints`.
    """
    order = np.lexsort((of_training, of_cell))
    same = (of_cell[order][1:] == of_cell[order][:-1]) & (of_training[order][1:] == of_training[order][:-1])
    if not same.any():
        return None
    pairs = [(int(order[at]), int(order[at + 1])) for at in np.flatnonzero(same)]
    return min(pairs)


def fingerprints(columns: Sequence[NDArray[Any]]) -> NDArray[np.uint64]:
    """Returns (n,) numbers that are equal where all columns, of 64 bits each, are, and differ elsewhere, up to chance.

    The columns are mixed one after the other as SplitMix64 does (Steele et al. 2014).
    """
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ np.ascontiguousarray(column).view(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed
