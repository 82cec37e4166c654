from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from metaopt.report.data.clocks import (
    View,
    at_budget,
    budget_note,
    end,
    given,
    grid,
    is_log,
    left_out_note,
    main_view,
    regrets,
    views,
)
from metaopt.report.data.contestants import Problem, problems
from metaopt.report.data.groups import Group

GroupOf = Callable[..., Group]


def problem_of(*groups: Group) -> Problem:
    (found,) = problems(groups)
    return found


def named(problem: Problem) -> dict[str, View]:
    return {view.clock.name: view for view in views(problem)}


def test_searches_and_look_ups_share_evaluations_only(group_of: GroupOf) -> None:
    searches = [group_of(name, [[0.3, 0.2]], optimizer=name, epochs=(2, 4)) for name in ("darts", "gdas")]
    look_ups = [group_of(name, [[0.3, 0.2]], epochs=(1, 8)) for name in ("random", "re")]
    found = named(problem_of(*searches, *look_ups))
    assert {name: len(view.contestants) for name, view in found.items()} == {
        "evaluations": 4, "search-epochs": 2, "search-seconds": 2, "table-epochs": 2, "table-seconds": 2,
    }  # fmt: skip
    assert [one.label for one in found["table-epochs"].contestants] == ["random", "re"]
    assert (found["search-epochs"].budget, found["table-epochs"].budget) == (6, 9)
    text = left_out_note(problem_of(*searches, *look_ups), list(found.values()))
    assert "compared within each kind only" in text


def test_epochs_that_are_evaluations_times_a_constant_are_no_view_of_their_own(group_of: GroupOf) -> None:
    problem = problem_of(group_of("a", [[0.3, 0.2]]), group_of("b", [[0.3]]))
    assert list(named(problem)) == ["evaluations", "table-seconds"]
    assert "would be the same" in left_out_note(problem, views(problem))


def test_the_common_budget_is_where_the_first_run_ends(group_of: GroupOf) -> None:
    view = named(problem_of(group_of("a", [[0.3] * 9, [0.3] * 4]), group_of("b", [[0.2] * 6])))["evaluations"]
    assert (view.budget, view.shortest) == (4, "a-s1")
    assert budget_note(view) == (
        "Common budget: 4 evaluations, where a-s1 ends first of 3 runs. What 2 of them found later, by 9 at most, is "
        "left out of everything that compares them here."
    )
    equal = named(problem_of(group_of("a", [[0.3] * 4]), group_of("b", [[0.2] * 4])))["evaluations"]
    assert budget_note(equal).endswith("where all 2 runs end.")


def test_nothing_is_padded_beyond_the_end_of_a_run(group_of: GroupOf) -> None:
    view = named(problem_of(group_of("a", [[None, 0.3, 0.4, 0.1], [0.5, 0.2]]), group_of("b", [[0.2]])))["evaluations"]
    a = view.contestants[0]
    nan = np.nan
    assert_allclose(
        regrets(a, view.clock, np.arange(6.0)), [[nan, nan, 0.3, 0.3, 0.1, nan], [nan, 0.5, 0.2, nan, nan, nan]]
    )
    assert_allclose(at_budget(a, view), [nan, 0.5])
    assert end(a.runs[0], view.clock) == 4


def test_validation_chooses_and_test_is_shown(group_of: GroupOf) -> None:
    view = views(problem_of(group_of("a", [[(0.3, 0.1), (0.2, 0.4), (0.5, 0.0)]]), group_of("b", [[0.2] * 3])))[0]
    assert_allclose(at_budget(view.contestants[0], view), [0.4])


def test_a_grid_has_every_end_and_whole_numbers(group_of: GroupOf) -> None:
    view = named(problem_of(group_of("a", [[0.3] * 700]), group_of("b", [[0.2] * 331, [0.2] * 450])))["evaluations"]
    places = grid(view)
    assert {1, 331, 700} <= set(places.tolist())
    assert (np.diff(places) > 0).all()
    assert_allclose(places, np.round(places))
    assert is_log(view)
    single = views(problem_of(group_of("a", [[0.3]]), group_of("b", [[0.2]])))[0]
    assert (grid(single).tolist(), is_log(single)) == ([1.0], False)


@pytest.mark.parametrize(
    ("settings", "clock"),
    [
        ({"budget": 2}, "evaluations"),
        ({"budget": None, "budget_epochs": 10}, "table-epochs"),
        ({"budget": None, "budget_seconds": 9.0}, "table-seconds"),
        ({"budget": None}, "evaluations"),
    ],
)
def test_groups_are_tested_on_the_budget_that_the_study_gave(
    group_of: GroupOf, settings: dict[str, object], clock: str
) -> None:
    problem = problem_of(*(group_of(name, [[0.3, 0.2]], epochs=(1, 8), **settings) for name in "ab"))
    assert main_view(problem, views(problem)).clock.name == clock


def test_a_budget_that_only_some_groups_share_is_no_main_one(group_of: GroupOf) -> None:
    settings = {"budget": None, "budget_epochs": 9, "epochs": (1, 8)}
    groups = [group_of("darts", [[0.3, 0.2]], optimizer="darts", **settings)]
    groups += [group_of(name, [[0.3, 0.2]], **settings) for name in "ab"]
    problem = problem_of(*groups)
    assert main_view(problem, views(problem)).clock.name == "evaluations"


def test_the_budget_of_a_run_in_words(group_of: GroupOf) -> None:
    (run,) = group_of("a", [[0.1]], budget=5, budget_epochs=30).runs
    assert given(run) == "5 evaluations, 30 epochs"
