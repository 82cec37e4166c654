from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from metaopt.report.data.clocks import views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.sections.finals import finals, finals_notes, finals_table

GroupOf = Callable[..., Group]
VALUES = [0.01, 0.02, 0.04, 0.05, 0.08, 0.10]


def test_numbers_are_of_the_runs_that_had_a_cell(group_of: GroupOf) -> None:
    a = group_of("a", [*([0.5, value] for value in VALUES), [None, None, 0.0], [None]])
    (problem,) = problems([a, group_of("b", [[0.3, 0.2]])])
    view = views(problem)[0]
    assert view.budget == 2
    row, other = finals(view)
    assert np.isnan(row.values).tolist() == [False] * 6 + [True]
    assert_allclose(row.ranked[:6], VALUES)
    assert np.isinf(row.ranked[6])
    text = finals_table("T", "n", [row, other]).cells
    assert text[0][:2] == ("a", "6 of 8")
    assert text[0][2] == "0.0500"
    assert text[0][4:] == ("0.0450", "0.0250 to 0.0725", "0.0100", "3 of 16")
    assert text[1] == ("b", "1", "0.2000", "–", "0.2000", "–", "0.2000", "0 of 2")
    record = finals_table("T", "n", [row, other]).records[0]
    assert record["median"] == pytest.approx(np.median(VALUES))
    assert record["sd"] == pytest.approx(np.std(VALUES, ddof=1))
    assert float(str(record["mean_low"])) < 0.05 < float(str(record["mean_high"]))
    notes = " ".join(finals_notes(view, [row, other]))
    assert "Runs that had no cell yet, and are in no number here: a 1." in notes
    assert "is not a ranking" in notes


def test_a_group_that_had_nothing_by_then(group_of: GroupOf) -> None:
    (problem,) = problems([group_of("a", [[None, 0.3]]), group_of("b", [[0.2]])])
    row = finals(views(problem)[0])[0]
    assert finals_table("T", "n", [row]).cells[0] == ("a", "0 of 1", "–", "–", "–", "–", "–", "1 of 2")


def test_predictions_are_shown_where_there_may_be_some(group_of: GroupOf) -> None:
    a = group_of("a", [[0.3, 0.2]])
    a.runs[0].header["objective"]["table"]["unknown"] = "surrogate"  # type: ignore[index]
    a.runs[0].told[0].result.info["predicted"] = True  # type: ignore[index, union-attr]
    (problem,) = problems([a, group_of("b", [[0.3, 0.2]])])
    table = finals_table("T", "n", finals(views(problem)[0]))
    assert table.head[-2] == "predicted"
    assert [row[-2] for row in table.cells] == ["50 %", "0 %"]


def test_many_equal_runs_have_no_interval_and_need_no_warning(group_of: GroupOf) -> None:
    (problem,) = problems([group_of(name, [[0.3]] * 6) for name in "ab"])
    view = views(problem)[0]
    rows = finals(view)
    assert [row.interval for row in rows] == [None, None]
    assert "is not a ranking" not in " ".join(finals_notes(view, rows))
