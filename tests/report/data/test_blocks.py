from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.testing import assert_allclose

from metaopt.report.data.blocks import blocks
from metaopt.report.data.clocks import View, views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.stats.ranks import FEWEST_BLOCKS, mean_ranks

GroupOf = Callable[..., Group]


def views_of(*groups: Group) -> list[tuple[str, View]]:
    return [(problem.name, views(problem)[0]) for problem in problems(groups)]


def test_blocks_are_seeds_of_problems_that_all_groups_have(group_of: GroupOf) -> None:
    def groups(space: int) -> list[Group]:
        seeds = {"a": range(4), "b": range(1, 6), "c": range(4)}
        return [
            group_of(
                f"{name}-cell_space-{space}",
                [[0.1 * s + 0.01 * space] for s in some],
                seeds=list(some),
                cell_space=space,
            )
            for name, some in seeds.items()
            if (name, space) != ("c", 2)
        ]

    found = blocks(views_of(*groups(1), *groups(2)))
    assert found is not None
    assert (found.labels, found.left_out) == (("a", "b"), ("c",))
    assert found.names == tuple(f"digits, cell space {space}, seed {s}" for space in (1, 2) for s in (1, 2, 3))
    assert_allclose(found.values[-1][:, 0], [0.11, 0.21, 0.31, 0.12, 0.22, 0.32])
    assert blocks(views_of(*groups(1))) is None, "three blocks are too few"
    assert len(found.names) == FEWEST_BLOCKS


def test_a_run_without_a_cell_ranks_last(group_of: GroupOf) -> None:
    found = blocks(
        views_of(group_of("a", [[None, 0.1]] * 6), group_of("b", [[0.9, 0.9]] * 6), group_of("c", [[0.9] * 2] * 6))
    )
    assert found is not None
    assert_allclose(mean_ranks(found.values)[-1], [1, 2.5, 2.5])
    half = int(np.searchsorted(found.shares, 0.5))
    assert_allclose(mean_ranks(found.values)[half], [3, 1.5, 1.5])
    assert_allclose(mean_ranks(found.values)[0], [2, 2, 2])
