from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy import stats

from metaopt.report.data.clocks import View, views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.sections.finals import finals
from metaopt.report.sections.pairs import LISTED, Pair, p_text, pairs, pairs_data, pairs_notes, pairs_table

GroupOf = Callable[..., Group]


def compared(*groups: Group) -> tuple[View, list[Pair]]:
    (problem,) = problems(groups)
    view = views(problem)[0]
    return view, pairs(finals(view))


def runs(values: Sequence[float]) -> list[list[float]]:
    return [[value] for value in values]


def test_runs_of_the_same_seeds_are_paired(group_of: GroupOf) -> None:
    a, b = np.linspace(0.01, 0.1, 10), np.linspace(0.01, 0.1, 10) + 0.002
    view, (pair,) = compared(group_of("a", runs(a)), group_of("b", runs(b)))
    assert pair.paired
    assert pair.p_value == pair.corrected == pytest.approx(stats.wilcoxon(a, b, method="exact").pvalue)
    assert pair.is_significant
    assert pair.finding == "a is better"
    assert pair.superiority == pytest.approx(0.55), "paired by seed it is clear, run against run it is not"
    record = pairs_data("pairs", [pair]).records[0]
    assert (record["test"], record["a12"]) == ("wilcoxon signed-rank", pair.superiority)
    assert "paired by seed" in " ".join(pairs_notes(view, [pair]))


def test_other_seeds_are_not_paired(group_of: GroupOf) -> None:
    a, b = np.linspace(0.01, 0.1, 6), np.linspace(0.06, 0.2, 7)
    _, (pair,) = compared(group_of("a", runs(a)), group_of("b", runs(b)))
    assert not pair.paired
    assert pair.p_value == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)
    _, (twice,) = compared(group_of("a", runs(a), seeds=[0] * 6), group_of("b", runs(a), seeds=[0] * 6))
    assert not twice.paired, "a seed that stands twice pairs nothing"


def test_too_few_runs_are_not_tested(group_of: GroupOf) -> None:
    few = [[0.1], [0.2], [0.3]]
    view, found = compared(group_of("a", few), group_of("b", few), group_of("c", runs([0.5, 0.6, 0.7, 0.8, 0.9])))
    assert [pair.p_value for pair in found] == [None, pytest.approx(2 / 56), pytest.approx(2 / 56)]
    assert [pair.corrected for pair in found] == [None, pytest.approx(4 / 56), pytest.approx(4 / 56)]
    assert found[0].finding == "no test was possible: n = 3"
    notes = " ".join(pairs_notes(view, found))
    assert "No test was possible for 1 of 3 pairs: with n = 3 a test cannot give a p below 0.25" in notes
    assert "corrected by Holm over 2 pairs, so that it cannot go below 0.071 here" in notes
    row = pairs_table("T", found).cells[0]
    assert row == ("a against b", "–", "3", "–", "–", "0.50", "–", "no test was possible: n = 3")


def test_a_run_without_a_cell_counts_as_the_worst(group_of: GroupOf) -> None:
    a = [[0.3, 0.3] for _ in range(6)]
    b = [[None, None, 0.1] for _ in range(6)]
    _, (pair,) = compared(group_of("a", a), group_of("b", b))
    assert (pair.superiority, pair.finding) == (1.0, "a is better")


def test_many_groups_stand_in_a_square(group_of: GroupOf) -> None:
    groups = [group_of(f"g{n}", runs(np.arange(12) / 100 + 0.2 * n)) for n in range(LISTED + 1)]
    view, found = compared(*groups)
    table = pairs_table("T", found)
    assert table.head == ("", *map(str, range(1, LISTED + 2)))
    assert table.cells[0][:3] == ("1: g0", "–", "1.00*")
    assert table.cells[1][1] == "0.00*"
    assert "* where the corrected p is below .05" in " ".join(pairs_notes(view, found))


def test_a_p_value_in_words() -> None:
    assert [p_text(p) for p in (0.5, 0.0312, 2e-5)] == ["0.5", "0.031", "< .0001"]
