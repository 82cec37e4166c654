"""Figures of the space: every trial per hyperparameter, all hyperparameters at once, and which of them matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from metaopt.core.trial import Value
from metaopt.core.wording import counted
from metaopt.report.data.inputs import EPOCHS
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.data.thinning import marks_each, thinned, thinning_note
from metaopt.report.figures.axes import log_axis, regret_dots, short
from metaopt.report.figures.style import LIGHT, RAMP, Plot, canvas, slug
from metaopt.report.stats.importance import Importance
from metaopt.runs.header import Hyperparameter

_GOLDEN = 0.6180339887  # fractions of its multiples fill an interval evenly: jitter without a random number
_INACTIVE = -0.12  # where an inactive hyperparameter is drawn, left of its axis from 0 to 1


def varied(run: RunData) -> list[Hyperparameter]:
    """Returns the hyperparameters that can take more than one value."""
    return [h for h in run.space if len(h.choices) != 1]


def scatter_plot(run: RunData, hyperparameter: Hyperparameter) -> Plot:
    """Draws the validation regret of trials over one hyperparameter; colour is epochs."""
    trials = [e for e in run.ok if hyperparameter.name in e.trial.config]
    inactive = len(run.ok) - len(trials)
    figure, axes = canvas(360, 235)
    most = marks_each(len(varied(run)))
    thinning = regret_dots(axes, run, trials, lambda evaluation: _place(hyperparameter, evaluation), most)
    _value_axis(axes, hyperparameter, hyperparameter.default if run.has_default else None)
    figure.legend(loc="outside upper left", ncols=4, columnspacing=1.0, handletextpad=0.1)
    line = "; the dotted line is the default" if run.has_default else ""
    left_out = f" Left out: {counted(inactive, 'trial')} in which it is inactive." if inactive else ""
    return Plot(
        f"hyperparameter-{slug(hyperparameter.name)}",
        hyperparameter.name,
        f"Each dot is a trial, stronger colour for more epochs{line}.{left_out}{thinning}",
        figure,
    )


def _place(hyperparameter: Hyperparameter, evaluation: Evaluation) -> float:
    value = evaluation.trial.config[hyperparameter.name]
    if not hyperparameter.choices:
        return float(value)
    return hyperparameter.choices.index(value) + 0.5 * _jitter(evaluation)


def _value_axis(axes: Axes, hyperparameter: Hyperparameter, default: Value | None) -> None:
    if hyperparameter.choices:
        axes.set_xticks(range(len(hyperparameter.choices)), [str(c) for c in hyperparameter.choices])
        axes.set_xlim(-0.5, len(hyperparameter.choices) - 0.5)
        axes.grid(visible=False, axis="x")
        default = None if default is None else hyperparameter.choices.index(default)
    else:
        low, high = hyperparameter.lower, hyperparameter.upper
        if hyperparameter.log:
            log_axis(axes, "x", low, high)
            axes.set_xlim(low / (high / low) ** 0.04, high * (high / low) ** 0.04)
        else:
            axes.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    if default is not None:
        axes.axvline(float(default), color=LIGHT["default"], linewidth=1.3, linestyle=(0, (1, 2)))


def parallel_plot(run: RunData) -> Plot:
    """Draws trials as lines through all hyperparameters; the axes lie below each other, so that names fit.

    Args:
        run: With at least one trial whose error is final.
    """
    inputs, final = varied(run), [e for e in run.ok if e.is_final]
    trials = sorted(thinned(run, final), key=lambda e: -_error(e))
    figure, axes = canvas(360, 60 + 44 * (len(inputs) + 1))
    errors = Hyperparameter("validation error", _error(trials[-1]), _error(trials[0]))
    for place, evaluation in enumerate(trials):
        last = 0.5 if errors.lower == errors.upper else errors.position(_error(evaluation))
        fifth = 5 * place // len(trials)
        x = [*(_unit(h, evaluation) for h in inputs), last]
        axes.plot(x, range(len(x)), color=RAMP[fifth], linewidth=0.8 + 0.25 * fifth, alpha=0.85)
    for height, h in enumerate((*inputs, errors)):
        _rail(axes, height, h)
    axes.set_ylim(len(inputs) + 0.35, -0.5)
    axes.set_axis_off()
    return Plot(
        "parallel",
        "All trials through all hyperparameters",
        "Each line is a trial: the best fifth strongest, the worst palest. A line that passes left of an axis has that "
        f"hyperparameter inactive.{thinning_note(len(trials), len(final))}",
        figure,
    )


def _error(evaluation: Evaluation) -> float:
    return evaluation.final_valid_error if evaluation.short else evaluation.valid_error


def _unit(hyperparameter: Hyperparameter, evaluation: Evaluation) -> float:
    value = evaluation.trial.config.get(hyperparameter.name)
    if value is None:
        return _INACTIVE
    return hyperparameter.position(value) + (0.3 * _jitter(evaluation) if hyperparameter.choices else 0.0)


def _rail(axes: Axes, height: int, hyperparameter: Hyperparameter) -> None:
    ends = hyperparameter.choices or (hyperparameter.lower, hyperparameter.upper)
    axes.plot([0, 1], [height, height], color=LIGHT["rule"], linewidth=1.2, zorder=3)
    axes.text(_INACTIVE - 0.05, height, hyperparameter.name, ha="right", va="center")
    box = {"facecolor": LIGHT["surface"], "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
    for x, value, side in ((0.0, ends[0], "left"), (1.0, ends[-1], "right")):
        text = short(float(f"{value:.4g}")) if isinstance(value, float) else str(value)
        axes.text(x, height - 0.12, text, ha=side, va="bottom", color=LIGHT["muted"], fontsize=10, bbox=box, zorder=4)


def _jitter(evaluation: Evaluation) -> float:
    """Returns a fixed number in [-0.5, 0.5) that differs from trial to trial, so that equal choices stay apart."""
    return (evaluation.trial.id * _GOLDEN) % 1 - 0.5


def importance_plot(found: Importance) -> Plot:
    """Draws the share of variance that each input explains, with its spread over forests."""
    order: Sequence[int] = np.argsort(found.mean, kind="stable").tolist()
    figure, axes = canvas(360, 70 + 25 * len(order))
    colours = [LIGHT["rule"] if found.names[i] == EPOCHS else LIGHT["valid"] for i in order]
    axes.barh(
        [found.names[i] for i in order],
        [100 * found.mean[i] for i in order],
        xerr=[100 * found.std[i] for i in order],
        color=colours,
        height=0.62,
        error_kw={"ecolor": LIGHT["muted"], "elinewidth": 1.2, "capsize": 2.5},
    )
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0)
    axes.set_xlabel("variance explained alone, %")
    return Plot(
        "importance",
        "Which hyperparameters matter",
        "Share of the validation error's variance over the whole space that each one explains by itself (functional "
        "analysis of variance); whiskers: standard deviation over forests. What is missing to 100 % are interactions.",
        figure,
    )
