from __future__ import annotations

import numpy as np
import pytest

from metaopt.cells.graph import CellGraph
from metaopt.cells.nearest import nearest, neighbours
from metaopt.cells.space import CELL_SPACES, Cell

SPACE = CELL_SPACES[1]


def cells(count: int, seed: int = 0) -> list[Cell]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def changes(one: Cell, other: Cell) -> int:
    pairs = [*zip(one.ops, other.ops, strict=True), *zip(one.parents, other.parents, strict=True)]
    return sum(a != b for a, b in pairs)


def test_neighbours_differ_in_one_choice() -> None:
    (cell,) = cells(1)
    found = list(neighbours(SPACE, cell))
    assert {changes(cell, other) for other in found} == {1}
    assert len(set(found)) == len(found) == 2 * len(cell.ops) + sum(len(sets) - 1 for sets in SPACE.parent_choices)


def test_a_known_cell_is_its_own_nearest() -> None:
    for cell in cells(5):
        assert nearest(SPACE, cell, lambda graph: True) == cell


@pytest.mark.parametrize("kept", [2, 7, 40])
def test_no_known_cell_is_nearer(kept: int) -> None:
    def known(graph: CellGraph) -> bool:
        return int(graph.hash, 16) % kept == 0

    every = [cell for cell in cells(4000, seed=1) if known(cell.graph)]
    for cell in cells(10):
        found = nearest(SPACE, cell, known)
        assert known(found.graph)
        assert changes(cell, found) <= min(changes(cell, other) for other in every)
        assert nearest(SPACE, cell, known) == found


def test_of_several_none_is_preferred() -> None:
    """In each of many cells, all of whose neighbours are known, another place is changed."""
    changed = set()
    for cell in cells(60):
        found = nearest(SPACE, cell, lambda graph, own=cell.graph: graph != own)
        changed |= {i for i, (a, b) in enumerate(zip(cell.ops, found.ops, strict=True)) if a != b}
        changed |= {10 + i for i, (a, b) in enumerate(zip(cell.parents, found.parents, strict=True)) if a != b}
    assert len(changed) >= 7
