from __future__ import annotations

from collections.abc import Callable

import pytest

from metaopt.report.data.clocks import views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.sections.finals import Final, finals
from metaopt.report.sections.improvement import improvements, improvements_table

GroupOf = Callable[..., Group]


def finals_of(groups: list[Group]) -> list[list[Final]]:
    return [finals(views(problem)[0]) for problem in problems(groups)]


def test_it_is_the_mean_over_problems(group_of: GroupOf) -> None:
    groups = []
    for space, values in ((1, [0.1, 0.2]), (2, [0.3, 0.2])):  # a is better on space 1, b on space 2 half of the time
        groups += [
            group_of(f"{name}-cell_space-{space}", [[value]] * 6, cell_space=space)
            for name, value in zip("ab", values, strict=True)
        ]
    groups[3] = group_of("b-cell_space-2", [[0.2], [0.3], [0.2], [0.3], [0.2], [0.3]], cell_space=2)
    (found,) = improvements(finals_of(groups))
    assert (found.a, found.b, found.problems) == ("a", "b", 2)
    assert found.probability == pytest.approx((1.0 + 0.25) / 2)
    assert found.interval is not None
    assert found.interval[0] < found.probability < found.interval[1]
    assert improvements_table([found]).cells[0][:3] == ("a over b", "2", "0.62")
    assert improvements_table([found]).records[0]["probability"] == found.probability


def test_a_single_problem_has_none(group_of: GroupOf) -> None:
    assert improvements(finals_of([group_of(name, [[0.1]]) for name in "ab"])) == []
