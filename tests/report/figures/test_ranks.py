from __future__ import annotations

import numpy as np

from metaopt.report.data.blocks import Blocks
from metaopt.report.figures.ranks import difference_plot, rank_plot
from metaopt.report.stats.ranks import Ranking


def ranking_of(ranks: list[float], cliques: tuple[tuple[int, ...], ...]) -> Ranking:
    k = len(ranks)
    labels = tuple(f"g{n}" for n in range(k))
    return Ranking(labels, np.array(ranks), 12, 0.01, np.ones((k, k)), cliques)


def test_bars_do_not_touch_and_show_who_is_in_them() -> None:
    found = ranking_of([1.2, 1.9, 2.5, 3.1, 4.0], ((0, 1, 2), (1, 2, 3), (3, 4), (0, 4)))
    axes = difference_plot(found, "").figure.axes[0]
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[1.2, 1.9, 2.5], [1.9, 2.5, 3.1], [3.1, 4.0], [1.2, 4.0]]
    heights = [line.get_ydata()[0] for line in dots]
    assert len(set(heights)) == 3
    assert heights[0] == heights[2], "a bar that begins after another one ends may stand beside it"
    texts = [text.get_text().strip() for text in axes.texts]
    assert {"g0  1.20", "4.00  g4"} <= set(texts)
    assert {text for text in texts if text.isdigit()} == {"1", "2", "3", "4"}, "from the best rank to the worst"


def test_twenty_groups_have_a_line_each() -> None:
    found = ranking_of(list(np.linspace(2, 18, 20)), ())
    axes = difference_plot(found, "all-").figure.axes[0]
    heights = [text.get_position()[1] for text in axes.texts if "g" in text.get_text()]
    assert len(heights) == 20
    assert sorted(heights[:10]) == sorted(heights[10:])
    assert min(np.diff(sorted(heights[:10]))) > 15


def test_ranks_are_drawn_from_the_first_cell_on() -> None:
    values = np.array([[[np.inf, np.inf]], [[0.2, np.inf]], [[0.2, 0.1]]])
    found = Blocks(("a", "b"), ("s",), np.array([0.1, 0.5, 1.0]), values, ("evaluations",), (), (50.0,))
    axes = rank_plot(found, "").figure.axes[0]
    assert axes.get_xlabel() == "evaluations"
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines["a"].get_xdata()) == [25, 50]
    assert list(lines["a"].get_ydata()) == [1, 2]
    assert list(lines["b"].get_ydata()) == [2, 1]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the best is on top"
    several = Blocks(("a", "b"), ("s",), np.array([0.1, 0.5, 1.0]), values, ("evaluations",), (), (50.0, 90.0))
    assert rank_plot(several, "").figure.axes[0].get_xlabel() == "% of the common budget of each problem"
