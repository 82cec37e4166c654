from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numpy.testing import assert_allclose

from metaopt.report.data.load import load_run
from metaopt.report.figures.searches import correlation_plot, epochs_plot, trajectory_plots

OPTIMA = {"optimum_valid_error": 0.1, "optimum_test_error": 0.2}


def test_every_pair_is_a_dot(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    answers = [
        answer(0, 0.3, epochs=3, info={"one_shot_error": 0.7}),
        answer(1, 0.2, epochs=9, info={"one_shot_error": 0.5}),
    ]
    run = load_run(write_run(answers, objective=OPTIMA))
    low, high = correlation_plot(run, run.ok).figure.axes[0].lines
    assert_allclose([low.get_xdata(), low.get_ydata()], [[0.7], [0.2]])
    assert_allclose([high.get_xdata(), high.get_ydata()], [[0.5], [0.1]])


def test_trajectories_are_regrets_over_epochs(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    steps = {"one_shot_error": [0.9, 0.5], "valid_error": [0.4, 0.3], "test_error": [0.5, None]}
    run = load_run(write_run([answer(0, 0.3, info={"trajectory": steps})], objective=OPTIMA))
    one_shot, regret = trajectory_plots(run, {"default": run.ok[0]})
    assert_allclose(one_shot.figure.axes[0].lines[0].get_ydata(), [0.9, 0.5])
    valid, test = regret.figure.axes[0].lines
    assert_allclose(valid.get_xdata(), [1, 2])
    assert_allclose(valid.get_ydata(), [0.3, 0.2])
    assert_allclose(test.get_ydata(), [0.3, float("nan")])


def test_a_trajectory_may_lack_a_series(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    run = load_run(write_run([answer(0, 0.3, info={"trajectory": {"one_shot_error": [0.5]}})]))
    assert len(trajectory_plots(run, {"tuned": run.ok[0]})) == 2


def test_epochs_of_a_search() -> None:
    columns = {"valid_error": [0.4, None, 0.1], "test_error": [0.5, None, 0.3], "one_shot_error": [0.9, 0.5, 0.4]}
    regret, one_shot = epochs_plot(columns, (0.1, 0.2)).figure.axes
    valid, test = regret.lines
    assert_allclose([valid.get_xdata(), valid.get_ydata()], [[1, 3], [0.3, 0.0]])
    assert_allclose(test.get_ydata(), [0.3, 0.1])
    assert_allclose(one_shot.lines[0].get_ydata(), [0.9, 0.5, 0.4])


def course(n: int, **more: list[Any]) -> dict[str, list[Any]]:
    return {"valid_error": [0.4] * n, "test_error": [0.5] * n, "one_shot_error": [0.9] * n, **more}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (course(2), " Regret that rises while the one-shot error falls means"),
        (course(1), ""),
        (course(3, sweeps=[0, 3, 6]), ""),
        (course(3, sweeps=[0, 0, 6]), " Regret that rises while the one-shot error falls before the selection of the"),
    ],
)
def test_overfitting_is_spoken_of_where_it_can_be_seen(
    columns: dict[str, list[Any]], said: str, write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    run = load_run(write_run([answer(0, 0.3, info={"trajectory": columns})], objective=OPTIMA))
    for plot in (epochs_plot(columns, (0.1, 0.2)), trajectory_plots(run, {"default": run.ok[0]})[1]):
        assert ("overfits" in plot.caption) == bool(said)
        assert said in plot.caption


def test_epochs_with_a_note_are_marked_in_every_panel() -> None:
    note = ["", "went back to epoch 1", "", "selection of the final cell begins", ""]
    plot = epochs_plot(course(5, note=note, sweeps=[0, 0, 0, 3, 6]), (0.1, 0.2))
    for panel in plot.figure.axes:
        assert [list(line.get_xdata()) for line in panel.lines][-2:] == [[2, 2], [4, 4]]
    assert "From epoch 4 on choices are closed" in plot.caption
    assert "Dotted" in plot.caption
    assert "Dotted" not in epochs_plot(course(5), (0.1, 0.2)).caption


def test_the_eigenvalue_has_a_panel_where_it_was_measured() -> None:
    columns = {"valid_error": [0.4, 0.3], "test_error": [0.5, 0.4], "one_shot_error": [0.9, 0.5]}
    plot = epochs_plot({**columns, "eigenvalue": [None, 1.5]}, (0.1, 0.2))
    eigenvalue = plot.figure.axes[2]
    assert eigenvalue.get_ylabel() == "dominant eigenvalue"
    assert_allclose([eigenvalue.lines[0].get_xdata(), eigenvalue.lines[0].get_ydata()], [[2], [1.5]])
    assert "sharpness" in plot.caption
