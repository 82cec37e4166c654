from __future__ import annotations

from collections.abc import Callable

from metaopt.report.data.contestants import Problem, problems
from metaopt.report.data.groups import Group
from metaopt.report.sections.best_cells import best_cells, best_cells_table, cells_notes, cells_plots

GroupOf = Callable[..., Group]
OTHER = "111000:conv1x1"


def problem_of(group_of: GroupOf, n: int = 2) -> Problem:
    groups = [group_of(f"g{k}", [[(0.5, 0.4), (0.3 + k / 100, 0.35)], [(0.6, 0.1)]]) for k in range(n)]
    (problem,) = problems(groups)
    return problem


def test_the_best_by_validation_over_all_runs(group_of: GroupOf) -> None:
    found = best_cells(problem_of(group_of))
    assert best_cells_table("T", "best-cells", found).cells[1] == (
        "g1", "0.3100", "0.3500", "0.3500", "g1-s0, trial 1, 8 epochs", "2 of 2", "111:conv3x3",
    )  # fmt: skip
    assert [row["trial_id"] for row in best_cells_table("T", "best-cells", found).records] == [1, 1]


def test_a_cell_that_several_groups_found_is_drawn_once(group_of: GroupOf) -> None:
    found = best_cells(problem_of(group_of))
    (plot,) = cells_plots(found, "p-")
    assert plot.name == "p-cell-1"
    assert "Best cell of g0, g1" in plot.caption


def test_six_cells_at_most_are_drawn(group_of: GroupOf) -> None:
    problem = problem_of(group_of, 9)
    keys = [
        f"{bits}:conv3x3:conv1x1" for bits in ("111111", "111101", "101101", "110011", "111011", "110111", "101111")
    ]
    for contestant, key in zip(problem.contestants, keys, strict=False):
        contestant.data[0].told[1].result.info["cell"] = key  # type: ignore[index, union-attr]
    found = best_cells(problem)
    assert len(cells_plots(found, "")) == 6
    assert "Drawn are the 6 best of 8 different ones." in cells_notes(found)[0]


def test_trials_without_cells_give_none(group_of: GroupOf) -> None:
    problem = problem_of(group_of)
    for run in (run for one in problem.contestants for run in one.data):
        for evaluation in run.told:
            evaluation.result.info.clear()  # type: ignore[attr-defined, union-attr]
    assert best_cells(problem) == []
