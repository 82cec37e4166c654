from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from metaopt.report.data.load import load_run
from metaopt.report.figures.progress import anytime_plot, comparison_plot, confirmation_plot
from metaopt.report.sections.headline import confirmation


@pytest.mark.parametrize(("clock", "last"), [("evaluations", 3), ("seconds", 5)])
def test_anytime_lines_are_the_incumbents(
    write_run: Callable[..., Path], answer: Callable[..., object], clock: str, last: float
) -> None:
    answers = [answer(0, 0.3, 0.2), answer(1, 0.4, 0.1), answer(2, 0.2, 0.5)]
    run = load_run(write_run(answers, objective={"optimum_valid_error": 0.1, "optimum_test_error": 0.1}))
    dots, valid, test = anytime_plot(run, clock).figure.axes[0].lines
    assert_allclose(dots.get_ydata(), [0.2, 0.3, 0.1])
    assert_allclose(valid.get_ydata(), [0.2, 0.1], err_msg="a line has its corners only")
    assert_allclose(test.get_ydata(), [0.1, 0.4])
    assert valid.get_xdata()[-1] == last


def test_a_group_gets_mean_median_and_band(make_run: Callable[..., Path]) -> None:
    runs = [load_run(make_run(seed=seed, n=n, confirm=0)) for seed, n in enumerate((8, 6, 7))]
    axes = comparison_plot({"several": runs, "one": runs[:1]}, "evaluations", "valid").figure.axes[0]
    assert len(axes.collections) == 1
    solid = [line for line in axes.lines if len(line.get_xdata())]
    assert len(solid) == 3 + 2 + 1
    assert max(solid[3].get_xdata()) == 6


def test_every_repeat_and_the_means_are_drawn(make_run: Callable[..., Path]) -> None:
    run = load_run(make_run(confirm=3))
    found = confirmation(run)
    axes = confirmation_plot(run, found.default, found.tuned).figure.axes[0]
    dots, mean = axes.lines[0], axes.lines[1]
    assert_allclose(sorted(dots.get_xdata()), sorted(e.test_error - 0.035 for e in found.default))
    assert_allclose(mean.get_xdata()[0], sum(dots.get_xdata()) / 3)
    assert len(axes.lines) == 8


def test_a_side_without_repeats_is_left_empty(make_run: Callable[..., Path]) -> None:
    run = load_run(make_run(confirm=1))
    axes = confirmation_plot(run, confirmation(run).default, ()).figure.axes[0]
    assert len(axes.lines) == 6
