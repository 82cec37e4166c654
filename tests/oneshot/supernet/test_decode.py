from __future__ import annotations

import itertools

import numpy as np
import pytest

from metaopt.cells.space import CELL_SPACES
from metaopt.oneshot.supernet.decode import best_first, cells_by_strength, parent_scores, reopened
from metaopt.oneshot.supernet.mix import MIXED_OPS


def test_the_order_is_that_of_a_full_sort() -> None:
    rng = np.random.default_rng(0)
    options = [dict(enumerate(rng.normal(size=size))) for size in (3, 1, 4, 2)]
    found = list(best_first(options))
    assert sorted(found) == sorted(itertools.product(*options))
    totals = [sum(row[choice] for row, choice in zip(options, choices, strict=True)) for choices in found]
    assert totals == sorted(totals, reverse=True)


def test_equals_come_in_the_order_of_the_choices() -> None:
    assert list(best_first([{"a": 1.0, "b": 1.0}, {"c": 0.0}])) == [("a", "c"), ("b", "c")]
    assert list(best_first([])) == [()]


@pytest.mark.slow
def test_all_cells_of_a_space_come_by_the_sum_of_their_scores() -> None:
    space, rng = CELL_SPACES[1], np.random.default_rng(1)
    ops = rng.normal(size=(4, 3)).tolist()
    rows = [rng.normal(size=node).tolist() for node in range(1, 6)]
    parents = [parent_scores(choices, row) for choices, row in zip(space.parent_choices, rows, strict=True)]
    cells = list(cells_by_strength(space, ops, parents))
    assert len(set(cells)) == len(cells) == 14_580
    totals = [
        sum(row[MIXED_OPS.index(op)] for row, op in zip(ops, cell.ops, strict=True))
        + sum(row[parent] for row, chosen in zip(rows, cell.parents, strict=True) for parent in chosen)
        for cell in cells
    ]
    assert totals == pytest.approx(sorted(totals, reverse=True))


def test_the_first_cell_is_that_of_the_largest_scores_whatever_is_closed_comes_last() -> None:
    space = CELL_SPACES[3]
    ops = [[0.0, 3.0, 1.0]] * 5
    parents = [parent_scores(choices, list(range(node))) for node, choices in enumerate(space.parent_choices, start=1)]
    first = next(cells_by_strength(space, ops, parents))
    assert first.ops == (MIXED_OPS[1],) * 5
    assert first.parents == ((0,), (1,), (2,), (2, 3), (3, 4), (4, 5))
    shut = [reopened([0.0, 3.0, 1.0], [False, True, False])] * 5
    assert next(cells_by_strength(space, shut, parents)).ops == (MIXED_OPS[2],) * 5
    gone = [reopened([0.0, 3.0, 1.0], [True, True, True])] * 5
    assert next(cells_by_strength(space, gone, parents)).ops == first.ops
