"""The nearest known cell: what a proposal counts as where a table holds a part of the cells only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from metaopt.cells.graph import OPS, CellGraph
from metaopt.cells.space import Cell, CellSpace
from metaopt.core.seeds import stream

T = TypeVar("T")


def nearest(space: CellSpace, cell: Cell, known: Callable[[CellGraph], bool]) -> Cell:
    """Returns the known cell that differs from ``cell`` in the fewest choices, itself if it is known.

    Of several, it is one that is drawn, always the same for the same cell.

    Args:
        space: The cell space.
        cell: Any of its cells.
        known: Whether a cell counts; at least one of the space's must.
    """
    ring, seen = [cell], {cell}
    while not (found := [other for other in ring if known(other.graph)]):
        ring = list(dict.fromkeys(other for one in ring for other in neighbours(space, one) if other not in seen))
        seen.update(ring)
    return found[int(stream("nearest", cell.graph.key).integers(len(found)))]


def neighbours(space: CellSpace, cell: Cell) -> Iterator[Cell]:
    """Yields the cells that differ in one operation, or in the parents of one node, in a fixed order."""
    for at, own in enumerate(cell.ops):
        yield from (replace(cell, ops=_with(cell.ops, at, op)) for op in OPS if op != own)
    for at, sets in enumerate(space.parent_choices):
        yield from (replace(cell, parents=_with(cell.parents, at, new)) for new in sets if new != cell.parents[at])


def _with(values: tuple[T, ...], at: int, value: T) -> tuple[T, ...]:
    return (*values[:at], value, *values[at + 1 :])
