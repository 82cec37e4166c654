from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from metaopt.core.trial import Result, Trial
from metaopt.report.data.groups import Repeats
from metaopt.report.data.load import Evaluation
from metaopt.report.figures.study import eigenvalue_plot, trajectory_plot, tuned_plot
from metaopt.report.figures.style import GROUPS, render
from metaopt.report.sections.tuned import Searches, Tuned
from metaopt.report.stats.ratio import Ratio


def repeats(group: str, label: str, n: int = 2, **trajectory: list[Any]) -> Repeats:
    trajectory = {"test_error": [0.5, 0.4, 0.3], **trajectory}
    evaluations = tuple(
        Evaluation(Trial(i, 0, {}, 3, i), 0.0, Result(i, "ok", 0.3, 0.3, info={"trajectory": trajectory}))
        for i in range(n)
    )
    return Repeats(group, label, evaluations, 0, 0.1)


def test_a_panel_per_group_and_a_line_per_configuration() -> None:
    plot = trajectory_plot([repeats(g, c) for g in ("a", "b", "c") for c in ("off", "on")], "test_error")
    assert plot is not None
    assert plot.name == "trajectory-test-regret"
    axes = plot.figure.axes
    assert [panel.get_title() for panel in axes] == ["a", "b", "c"]
    assert [len(panel.get_lines()) for panel in axes] == [2, 2, 2]
    assert {panel.get_yscale() for panel in axes} == {"log"}
    assert [panel.get_xlabel() for panel in axes] == ["", "epochs of the search", "epochs of the search"]
    colours = [[line.get_color() for line in panel.get_lines()] for panel in axes]
    assert colours == [list(GROUPS[:2])] * 3
    assert [text.get_text() for text in plot.figure.legends[0].get_texts()] == ["off", "on"]


def test_one_panel_where_each_group_has_one_configuration() -> None:
    plot = trajectory_plot([repeats(f"optimizer {n}", "") for n in range(9)], "test_error")
    assert plot is not None
    (panel,) = plot.figure.axes
    looks = {(line.get_color(), line.get_linestyle()) for line in panel.get_lines()}
    assert len(looks) == 9
    assert list(panel.get_lines()[0].get_ydata()) == [0.4, 0.30000000000000004, 0.19999999999999998]


def test_a_curve_of_one_point_has_a_marker() -> None:
    plot = trajectory_plot([repeats("a", ""), repeats("b", "", test_error=[None, None, 0.3])], "test_error")
    assert plot is not None
    whole, point = plot.figure.axes[0].get_lines()
    assert (len(whole.get_xdata()), len(point.get_xdata())) == (3, 1)
    assert whole.get_marker() in ("", "None")
    assert point.get_marker() == "o"


def test_what_nobody_measured_is_not_drawn() -> None:
    assert trajectory_plot([repeats("a", "")], "eigenvalue") is None
    assert trajectory_plot([], "test_error") is None
    assert eigenvalue_plot([repeats("a", "")]) is None


def test_every_search_and_epoch_with_both_is_a_dot() -> None:
    plot = eigenvalue_plot([repeats("a", "", n=4, eigenvalue=[None, 0.2, 0.1])])
    assert plot is not None
    dots = [(x, y) for line in plot.figure.axes[0].get_lines() for x, y in line.get_xydata().tolist()]
    assert len(dots) == 8
    assert {round(x, 6) for x, _ in dots} == {0.1, 0.2}


def test_tuned_has_a_row_per_group_that_was_confirmed() -> None:
    ratio = Ratio(2.0, None, None, None, None)
    five, none = Searches(5, 5), Searches(0, 0)
    whole = Tuned(
        "darts", 0.1, (0.2, 0.4), (0.1, 0.2), five, five, (0.1,), ratio, None, None, 1.0, math.nan, (9,), 0, 9, 2
    )
    lacking = Tuned("gdas", 0.1, (), (), none, none, (), ratio, None, None, math.nan, math.nan, (), 0, 0, 1)
    plot = tuned_plot([whole, lacking])
    assert [label.get_text() for label in plot.figure.axes[0].get_yticklabels()] == ["darts"]
    picture = render(plot)
    assert picture.png.startswith(b"\x89PNG")
    assert b"test regret" in picture.svg
    assert tuned_plot([replace(whole, optimum_test_error=None)]).figure.axes[0].get_xlabel() == "test error"


def test_where_no_optimum_is_known_axes_say_error() -> None:
    some = [replace(repeats("a", "", eigenvalue=[0.1, 0.2, 0.3]), optimum_test_error=None)]
    over, against = trajectory_plot(some, "test_error"), eigenvalue_plot(some)
    assert over is not None
    assert (over.name, over.title) == ("trajectory-test-error", "Test error over the epochs")
    assert over.figure.axes[0].get_ylabel() == "test error"
    assert against is not None
    assert against.figure.axes[0].get_ylabel() == "test error"
    assert "regret" not in against.caption


def test_a_search_without_eigenvalues_that_is_longer_than_those_with_is_left_out() -> None:
    short, long = repeats("a", "", n=1, eigenvalue=[0.1, 0.2, 0.3]), repeats("a", "", n=1, test_error=[0.4] * 9)
    plot = eigenvalue_plot([replace(short, evaluations=short.evaluations + long.evaluations)])
    assert plot is not None
    assert sum(len(line.get_xdata()) for line in plot.figure.axes[0].get_lines()) == 3
