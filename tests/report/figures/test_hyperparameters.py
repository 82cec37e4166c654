from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from metaopt.report.data.load import RunData, load_run
from metaopt.report.figures.hyperparameters import importance_plot, parallel_plot, scatter_plot, varied
from metaopt.report.stats.importance import Importance


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path]) -> RunData:
    return load_run(make_run(n=12))


def test_the_scale_is_the_spaces(run: RunData) -> None:
    scales = {h.name: scatter_plot(run, h).figure.axes[0].get_xscale() for h in varied(run)}
    assert {name for name, scale in scales.items() if scale == "log"} == {"learning_rate", "batch_size"}


def test_every_trial_in_which_it_is_active_is_drawn(run: RunData) -> None:
    for h in varied(run):
        plot = scatter_plot(run, h)
        drawn = sum(len(line.get_xdata()) for line in plot.figure.axes[0].lines if line.get_marker() == "o")
        active = sum(h.name in e.trial.config for e in run.ok)
        assert drawn == active
        assert (f"{len(run.ok) - active} trials in which it is inactive" in plot.caption) == (active < len(run.ok))


def test_jitter_keeps_choices_apart(run: RunData) -> None:
    schedule = next(h for h in run.space if h.name == "schedule")
    lines = [line for line in scatter_plot(run, schedule).figure.axes[0].lines if line.get_marker() == "o"]
    expected = sorted(schedule.choices.index(e.trial.config["schedule"]) for e in run.ok)
    assert sorted(round(float(x)) for line in lines for x in line.get_xdata()) == expected


def test_parallel_lines_end_at_their_error(run: RunData) -> None:
    axes = parallel_plot(run).figure.axes[0]
    trials = [line for line in axes.lines if len(line.get_xdata()) > 2]
    assert len(trials) == len(run.ok)
    assert_allclose([trials[0].get_xdata()[-1], trials[-1].get_xdata()[-1]], [1.0, 0.0])
    inactive = [h.name for h in varied(run)].index("cutout_length")
    off = sum(line.get_xdata()[inactive] < 0 for line in trials)
    assert off == sum("cutout_length" not in e.trial.config for e in run.ok)


def test_bars_are_sorted_and_in_percent() -> None:
    found = Importance(("a", "b", "epochs"), (0.2, 0.5, 0.1), (0.01, 0.02, 0.0), 0.7, 30, 10)
    axes = importance_plot(found).figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["epochs", "a", "b"]
    assert_allclose([bar.get_width() for bar in axes.patches], [10, 20, 50])


def test_no_end_of_a_small_range_is_called_0(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    decay = {"type": "uniform_float", "name": "decay", "lower": 1e-7, "upper": 3.2e-5, "log": True}
    space = {"hyperparameters": [{**decay, "default_value": 1e-6}]}
    answers = [answer(n, 0.00001 * (n + 1), config={"decay": 10.0 ** (n - 7)}) for n in range(3)]
    texts = [text.get_text() for text in parallel_plot(load_run(write_run(answers, space=space))).figure.axes[0].texts]
    assert texts == ["decay", "1e-7", "3.2e-5", "validation error", "1e-5", "3e-5"]
