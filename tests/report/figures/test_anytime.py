from __future__ import annotations

from collections.abc import Callable

import pytest

from metaopt.report.data.anytime import summaries
from metaopt.report.data.clocks import views
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group
from metaopt.report.figures.anytime import BANDED, DISTINCT, anytime_plot, looks, single_plot

GroupOf = Callable[..., Group]


def plots(groups: list[Group]) -> tuple[object, object]:
    (problem,) = problems(groups)
    view = views(problem)[0]
    found = summaries(view)
    of = looks([one.label for one in found])
    return anytime_plot(view, found, of, "test regret", "x-"), single_plot(view, found, of, "test regret", "x-")


def test_few_groups_have_their_bands_in_one_figure(group_of: GroupOf) -> None:
    groups = [group_of("a", [[0.3, 0.2 + n / 50, 0.1 + n / 90] for n in range(6)]), group_of("b", [[0.3] * 9] * 6)]
    plot, single = plots(groups)
    assert single is None
    assert plot is not None
    assert plot.name == "x-anytime-evaluations"
    mean, median = plot.figure.axes
    assert [panel.get_title() for panel in (mean, median)] == ["mean over runs", "median over runs"]
    assert len(mean.collections) == 2
    assert mean.get_legend_handles_labels()[1] == ["a, n = 6", "b, n = 6"]
    assert "band: 95 %" in plot.caption
    ends = [line.get_xdata()[-1] for line in mean.get_lines()]
    assert ends == [3, 9, 3], "two curves and the common budget"


def test_where_runs_are_few_each_is_drawn(group_of: GroupOf) -> None:
    plot, _ = plots([group_of("a", [[0.3, 0.2], [0.4, 0.3]]), group_of("b", [[0.3, 0.3]])])
    assert plot is not None
    assert len(plot.figure.axes[0].collections) == 0
    assert len(plot.figure.axes[0].get_lines()) == 2 + 1 + 2
    assert "thin: each run" in plot.caption


def test_many_groups_have_a_panel_each(group_of: GroupOf) -> None:
    n = BANDED + 3
    plot, single = plots([group_of(f"group {k}", [[0.9, 0.3 + k / 100]] * 6) for k in range(n)])
    assert plot is not None
    assert single is not None
    assert len(plot.figure.axes[0].collections) == 0
    assert [panel.get_title() for panel in single.figure.axes] == [f"group {k}" for k in range(n)]
    assert all(len(panel.collections) == 1 for panel in single.figure.axes)
    labelled = [panel.xaxis.get_tick_params()["labelbottom"] for panel in single.figure.axes]
    assert labelled == [False] * (n - 4) + [True] * 4


def test_more_groups_than_can_be_told_apart_have_a_panel_each_only(group_of: GroupOf) -> None:
    assert len(set(looks([str(n) for n in range(DISTINCT)]).values())) == DISTINCT
    groups = [group_of(f"group {k}", [[0.9, 0.3 + k / 100]]) for k in range(DISTINCT + 1)]
    assert plots(groups[:-1])[0] is not None
    overview, single = plots(groups)
    assert overview is None
    assert single is not None
    assert "gray: from the lowest to the highest mean of all groups" in single.caption
    for panel in single.figure.axes:
        assert len(panel.lines) == 2, "its mean and its run; a line of each group in each panel would be too many"
        low, high = panel.collections[0].get_paths()[0].get_extents().intervaly
        assert (low, high) == (pytest.approx(0.3), pytest.approx(0.9))


def test_groups_without_a_curve_are_not_drawn(group_of: GroupOf) -> None:
    plot, _ = plots([group_of(name, [[0.4], [None, 0.5]]) for name in "ab"])
    assert plot is None
