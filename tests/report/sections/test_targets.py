from __future__ import annotations

from collections.abc import Callable

from metaopt.report.data.clocks import View, views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.sections.finals import finals
from metaopt.report.sections.targets import (
    Reached,
    reached,
    targets,
    targets_notes,
    targets_table,
)

GroupOf = Callable[..., Group]


def found_of(*groups: Group) -> tuple[View, list[float], dict[tuple[float, str], Reached]]:
    (problem,) = problems(groups)
    view = views(problem)[0]
    rows = finals(view)
    return view, targets(rows), {(one.target, one.label): one for one in reached(view, rows)}


def test_targets_are_values_that_runs_had(group_of: GroupOf) -> None:
    a = group_of("a", [[0.1], [0.2], [0.3], [0.4]])
    _, found, _ = found_of(a, group_of("b", [[0.5], [0.6], [0.7], [0.8]]))
    assert found == [0.6, 0.4, 0.2], "what 6, 4 and 2 of 8 runs had or beat"
    _, same, _ = found_of(group_of("a", [[0.4]] * 3), group_of("b", [[0.4]]))
    assert same == [0.4]


def test_time_to_a_target_is_a_median_over_all_runs(group_of: GroupOf) -> None:
    a = group_of("a", [[0.9, 0.1, 0.1, 0.1], [0.9, 0.9, 0.1, 0.1], [0.9, 0.9, 0.9, 0.8], [None]])
    b = group_of("b", [[0.1, 0.1, 0.1, 0.1]] * 2 + [[0.9, 0.9, 0.9, 0.5, 0.1]])
    view, found, by = found_of(a, b)
    assert view.budget == 4
    assert found[-1] == 0.1
    one, other = by[0.1, "a"], by[0.1, "b"]
    assert (one.runs, one.reached, other.reached) == (4, 2, 2)
    assert one.medians["evaluations"] == float("inf"), "half of its runs never got there"
    assert other.medians == {"evaluations": 1, "epochs": 8, "seconds": 2}
    text = targets_table("T", "targets", [one, other]).cells
    assert text[0] == ("0.1000", "a", "2 of 4", "–", "–", "–")
    assert text[1] == ("0.1000", "b", "2 of 3", "1", "8", "2")
    assert [row["median_epochs"] for row in targets_table("T", "targets", [one, other]).records] == [None, 8]
    assert "those that the table has of single cells" in targets_notes(view, [one])[1]


def test_what_came_after_the_common_budget_does_not_count(group_of: GroupOf) -> None:
    _, _, by = found_of(group_of("a", [[0.9, 0.05]]), group_of("b", [[0.5]]))
    assert by[0.5, "a"].reached == 0
    assert by[0.5, "b"].reached == 1


def test_an_incumbent_may_lose_its_test_regret_again(group_of: GroupOf) -> None:
    a = group_of("a", [[(0.5, 0.1), (0.4, 0.6)]])
    _, _, by = found_of(a, group_of("b", [[0.1, 0.1]]))
    assert by[0.1, "a"].reached == 1, "once is enough"
