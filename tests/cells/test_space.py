"""Counts are those of an independent enumeration of the three spaces (graph hash and orbit counting agreed)."""

from __future__ import annotations

import math
import time
from collections import Counter

import numpy as np
import pytest

from metaopt.cells.graph import OPS, CellGraph
from metaopt.cells.space import CELL_SPACES, Cell, memberships


@pytest.fixture(scope="module")
def distinct() -> dict[int, dict[str, CellGraph]]:
    return {number: space.distinct_graphs() for number, space in CELL_SPACES.items() if number < 3}


@pytest.fixture(scope="module")
def distinct_3() -> tuple[dict[str, CellGraph], float]:
    started = time.process_time()
    return CELL_SPACES[3].distinct_graphs(), time.process_time() - started


@pytest.mark.parametrize(("number", "wirings", "cells"), [(1, 180, 14_580), (2, 360, 29_160), (3, 5_400, 1_312_200)])
def test_number_of_wirings_and_cells(number: int, wirings: int, cells: int) -> None:
    space = CELL_SPACES[number]
    assert sum(1 for _ in space.wirings()) == wirings
    assert math.prod(map(len, space.parent_choices)) * len(OPS) ** space.n_nodes == cells
    assert sum(space.n_parents) == 9


@pytest.mark.parametrize(("number", "shapes", "labelled"), [(1, 48, 3_288), (2, 164, 11_826), (3, 596, 118_524)])
def test_number_of_pruned_wirings(number: int, shapes: int, labelled: int) -> None:
    space = CELL_SPACES[number]
    blank = ("conv1x1",) * space.n_nodes
    pruned = {Cell(wiring, blank).graph.adjacency for wiring in space.wirings()}
    assert len(pruned) == shapes
    assert sum(3 ** (len(adjacency) - 2) for adjacency in pruned) == labelled


def test_number_of_distinct_cells(distinct: dict[int, dict[str, CellGraph]]) -> None:
    assert {number: len(graphs) for number, graphs in distinct.items()} == {1: 2_685, 2: 7_773}
    assert Counter(g.n_vertices for g in distinct[1].values()) == {3: 3, 4: 18, 5: 180, 6: 2_484}
    assert Counter(len(g.edges) for g in distinct[2].values()) == {5: 15, 6: 9, 7: 315, 8: 198, 9: 7_236}


@pytest.mark.slow
def test_space_3_and_the_union(
    distinct: dict[int, dict[str, CellGraph]], distinct_3: tuple[dict[str, CellGraph], float]
) -> None:
    third, cpu_s = distinct_3
    assert len(third) == 55_854
    assert Counter(g.n_vertices for g in third.values()) == {3: 3, 4: 42, 5: 567, 6: 6_210, 7: 49_032}
    assert len(distinct[1].keys() | distinct[2].keys() | third.keys()) == 66_111
    assert len(distinct[1].keys() & third.keys()) == 201
    assert not distinct[2].keys() & third.keys()
    assert cpu_s < 60  # 17 s on an idle core; a guard against a change of order, not a measurement


@pytest.mark.slow
def test_every_published_cell_is_enumerated(
    published_cells: dict[str, np.ndarray],
    distinct: dict[int, dict[str, CellGraph]],
    distinct_3: tuple[dict[str, CellGraph], float],
) -> None:
    spaces = {1: distinct[1], 2: distinct[2], 4: distinct_3[0]}
    for mask, hash_ in zip(published_cells["in_space_bitmask"], published_cells["hash"], strict=True):
        assert {bit for bit, graphs in spaces.items() if hash_.tobytes().hex() in graphs} == {
            bit for bit in spaces if mask & bit
        }


@pytest.mark.parametrize("number", CELL_SPACES)
def test_sample_is_legal_uniform_and_seeded(number: int) -> None:
    space = CELL_SPACES[number]
    cells = [space.sample(np.random.default_rng(7)) for _ in range(2)]
    assert cells[0] == cells[1]
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(2_000)]
    for cell in drawn:
        assert tuple(map(len, cell.parents)) == space.n_parents
        assert all(max(parents) < node for node, parents in enumerate(cell.parents, start=1))
    counts = Counter(cell.parents[-1] for cell in drawn)
    assert set(counts) == set(space.parent_choices[-1])
    expected = len(drawn) / len(space.parent_choices[-1])
    assert all(abs(count - expected) < 5 * math.sqrt(expected) for count in counts.values())


@pytest.mark.parametrize(("number", "all_", "swaps"), [(1, 24, 20), (2, 25, 21), (3, 41, 31)])
def test_neighbours(number: int, all_: int, swaps: int) -> None:
    space = CELL_SPACES[number]
    cell = space.sample(np.random.default_rng(number))
    neighbours = space.neighbours(cell)
    assert len(set(neighbours)) == len(neighbours) == all_
    assert len(space.neighbours(cell, swap=True)) == swaps
    for other in neighbours:
        pairs = [*zip(cell.parents, other.parents, strict=True), *zip(cell.ops, other.ops, strict=True)]
        assert sum(a != b for a, b in pairs) == 1
        assert cell in space.neighbours(other)


@pytest.mark.parametrize("number", [1, 2])
def test_every_distinct_graph_is_embedded(number: int, distinct: dict[int, dict[str, CellGraph]]) -> None:
    for hash_, graph in distinct[number].items():
        cell = CELL_SPACES[number].embed(graph)
        assert cell is not None
        assert cell.graph.hash == hash_


def test_a_graph_of_another_space_is_not_embedded(distinct: dict[int, dict[str, CellGraph]]) -> None:
    graph = next(iter(distinct[2].values()))
    assert CELL_SPACES[1].embed(graph) is None


@pytest.mark.slow
def test_which_cell_spaces_have_a_hash() -> None:
    one, two, three = (list(CELL_SPACES[number].distinct_graphs()) for number in (1, 2, 3))
    assert [len(one), len(two), len(three)] == [CELL_SPACES[number].n_distinct for number in (1, 2, 3)]
    bits = memberships(np.array([*one, *two, "0" * 32], dtype="S32"))
    assert [int((bits[: len(one)] & bit > 0).sum()) for bit in (1, 2, 4)] == [2_685, 0, 201]
    assert (bits[len(one) : -1] == 2).all()
    assert bits[-1] == 0
