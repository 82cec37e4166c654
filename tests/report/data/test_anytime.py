from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.testing import assert_allclose

from metaopt.report.data.anytime import curve_records, summaries
from metaopt.report.data.clocks import views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group

GroupOf = Callable[..., Group]


def test_a_curve_begins_where_all_have_a_cell_and_ends_where_the_first_ends(group_of: GroupOf) -> None:
    a = group_of("a", [[0.4, 0.3, 0.2, 0.1], [None, 0.5, 0.4], [0.9] * 4])
    (problem,) = problems([a, group_of("b", [[0.2] * 6])])
    view = views(problem)[0]
    one, other = summaries(view)
    assert one.grid.tolist() == [2, 3]
    assert_allclose(one.mean, [1.7 / 3, 0.5])
    assert_allclose(one.median, [0.5, 0.4])
    assert (one.n, one.mean_band, other.grid.tolist()) == (3, None, [1, 2, 3, 4, 5, 6])
    records = list(curve_records(view, [one, other]))
    assert [(row["group"], row["at"]) for row in records] == [("a", 2), ("a", 3), ("b", 1), ("b", 6)], (
        "where it changes"
    )
    assert np.isnan(records[0]["mean_low"])  # type: ignore[call-overload]


def test_five_runs_have_bands_around_mean_and_median(group_of: GroupOf) -> None:
    rng = np.random.default_rng(0)
    a = group_of("a", rng.uniform(0.1, 0.9, size=(8, 5)).tolist())
    (problem,) = problems([a, group_of("b", [[0.2] * 5])])
    one = summaries(views(problem)[0])[0]
    for middle, band in ((one.mean, one.mean_band), (one.median, one.median_band)):
        assert band is not None
        assert (band[0] <= middle).all()
        assert (middle <= band[1]).all()
        assert (band[0] < band[1]).any()


def test_runs_that_share_no_place_have_no_curve(group_of: GroupOf) -> None:
    a = group_of("a", [[0.4], [None, 0.5]])
    (problem,) = problems([a, group_of("b", [[0.2] * 3])])
    one = summaries(views(problem)[0])[0]
    assert (one.grid.size, one.mean.size) == (0, 0)
