from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.report.data.load import load_run
from metaopt.report.figures.axes import epoch_colours, error_axis, log_axis, quantity, short
from metaopt.report.figures.style import RAMP, canvas


@pytest.mark.parametrize(
    ("value", "text"), [(0.001, "0.001"), (1e-5, "1e-5"), (2.5e-12, "2.5e-12"), (1e7, "1e7"), (-0.5, "-0.5")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(("low", "high"), [(0.01, 0.03), (0.01, 0.5), (1e-5, 1e-1)])
def test_a_log_axis_has_a_few_plain_labels(low: float, high: float) -> None:
    figure, axes = canvas()
    axes.plot([low, high], [low, high])
    log_axis(axes, "y", low, high)
    figure.draw_without_rendering()
    bottom, top = axes.get_ylim()
    labels = [
        t.get_text() for t, y in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True) if bottom <= y <= top
    ]
    assert 2 <= len(labels) <= 6
    assert all(float(label) > 0 and "$" not in label for label in labels)


@pytest.mark.parametrize(
    ("values", "scale"), [([0.1, 0.2], "log"), ([0.1, 0.0], "symlog"), ([0.1, -0.01], "symlog"), ([], "linear")]
)
def test_no_error_is_lost_on_its_axis(values: list[float], scale: str) -> None:
    _, axes = canvas()
    error_axis(axes, values, "regret")
    assert axes.get_yscale() == scale


def test_more_epochs_are_stronger(make_run: Callable[..., Path]) -> None:
    colours = epoch_colours(load_run(make_run(n=10)).ok)
    assert list(colours) == [3, 9, 27]
    assert list(colours.values()) == [RAMP[0], RAMP[2], RAMP[4]]


def test_a_single_fidelity_takes_the_strongest_colour(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    assert epoch_colours(load_run(write_run([answer(0, 0.1)])).ok) == {27: RAMP[-1]}


def test_regret_needs_an_optimum(write_run: Callable[..., Path]) -> None:
    assert quantity(load_run(write_run([]))) == "regret"
    assert quantity(load_run(write_run([], objective={"optimum_valid_error": None}))) == "error"
