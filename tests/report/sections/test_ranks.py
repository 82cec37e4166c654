from __future__ import annotations

from collections.abc import Callable

import numpy as np

from metaopt.report.data.clocks import View, views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.sections.ranks import rank_section

GroupOf = Callable[..., Group]


def views_of(*groups: Group) -> list[tuple[str, View]]:
    return [(problem.name, views(problem)[0]) for problem in problems(groups)]


def test_few_blocks_are_not_ranked(group_of: GroupOf) -> None:
    part = rank_section(views_of(*(group_of(name, [[0.2]] * 5) for name in "ab")))
    assert (part.tables, part.plots) == ((), ())
    assert "Groups are not ranked: that takes two of them on every problem and 6 blocks" in part.notes[0]


def test_a_ranking_says_which_groups_differ(group_of: GroupOf) -> None:
    base = np.arange(12)[:, None] / 1000
    groups = [
        group_of("a", (base + 0.1).tolist()),
        group_of("b", (base + 0.2).tolist()),
        group_of("c", (base + 0.2).tolist()),
    ]
    part = rank_section(views_of(*groups))
    assert part.tables[0].cells == (
        ("1: a", "1.00", "different from all"),
        ("2: b", "2.50", "3"),
        ("3: c", "2.50", "2"),
    )
    text = " ".join(part.notes)
    assert "(digits, cell space 1: 1 evaluations) over 12 blocks" in text
    assert "the ranks say nothing of others" in text
    assert "By Friedman's test the groups differ significantly (p < .0001)." in text
    assert "no p can go below 0.0015" in text
    rows = part.data[0].records
    assert [row["average_rank"] for row in rows[:3]] == [1.0, 2.5, 2.5]
    assert len(rows) == 6
    assert [plot.name for plot in part.plots] == ["critical-difference", "ranks"]


def test_it_is_said_where_no_pair_can_differ(group_of: GroupOf) -> None:
    part = rank_section(views_of(*(group_of(f"g{n}", [[0.1 * n + s / 100] for s in range(6)]) for n in range(4))))
    assert "no pair can be significantly different, whatever they found" in part.notes[-1]
