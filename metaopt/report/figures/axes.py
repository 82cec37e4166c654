"""Axes that all figures share: plain logarithmic labels, errors that may touch zero, one colour per fidelity."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from metaopt.core.wording import counted
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.data.thinning import MARKS, listed, thinned, thinning_note
from metaopt.report.figures.style import LIGHT, RAMP, Dot, draw_dots, trial_place
from metaopt.report.stats.curves import regret


def quantity(run: RunData) -> str:
    """Returns what errors are shown as: ``regret`` where the optimum is known, else ``error``."""
    return "error" if run.optimum_valid_error is None else "regret"


def epoch_colours(evaluations: Iterable[Evaluation]) -> dict[int, str]:
    """Returns a colour for every number of epochs, ascending; stronger for more."""
    levels = sorted({e.trial.epochs for e in evaluations})
    places = np.linspace(len(RAMP) - 1, 0, len(levels)).round().astype(int)[::-1]
    return dict(zip(levels, (RAMP[place] for place in places), strict=True))


def short(value: float) -> str:
    """Returns a number for an axis: as few digits as it needs, small exponents without padding."""
    return re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].replace('+', '')}{m[2]}", f"{value:g}")


def log_axis(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Makes an axis logarithmic with plain labels, several per decade where it spans few."""
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis: Axis = axes.xaxis if which == "x" else axes.yaxis
    steps = (1.0,) if high / low > 300 else (1.0, 3.0) if high / low > 12 else (1.0, 2.0, 3.0, 5.0, 7.0)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


def error_axis(axes: Axes, values: Iterable[float], label: str) -> None:
    """Makes the y axis logarithmic; where a value is not positive, linear around zero, so that none is lost."""
    finite = [v for v in values if math.isfinite(v)]
    positive = [v for v in finite if v > 0]
    if positive and len(positive) == len(finite):
        log_axis(axes, "y", min(positive), max(positive))
    elif positive:
        axes.set_yscale("symlog", linthresh=min(positive), linscale=0.4)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_ylabel(label)


def regret_dots(
    axes: Axes, run: RunData, evaluations: Sequence[Evaluation], place: Callable[[Evaluation], float], most: int = MARKS
) -> str:
    """Draws the validation regret of evaluations of a run, of the cell after all epochs; colour is their own epochs.

    Args:
        axes: To draw on.
        run: Its evaluations say which colours there are.
        evaluations: Each a dot.
        place: Where a dot is on the x axis.
        most: Dots; of more evaluations a choice is drawn.

    Returns:
        What the caption is to say of that, with a blank before.
    """
    shown = thinned(run, evaluations, most)
    said = trial_dots(run, shown)
    for epochs, colour in epoch_colours(run.ok).items():
        level = [e for e in shown if e.trial.epochs == epochs]
        draw_dots(
            axes,
            [place(e) for e in level],
            [_regret(run, e) for e in level],
            [said[e.trial.id] for e in level],
            color=colour,
            mec=LIGHT["surface"],
            mew=0.6,
            markersize=6,
            label=counted(epochs, "epoch"),
        )
    error_axis(axes, [_regret(run, e) for e in shown], f"validation {quantity(run)}")
    return thinning_note(len(shown), len(evaluations))


def trial_dots(run: RunData, evaluations: Iterable[Evaluation]) -> dict[int, Dot]:
    """Returns what the page says of trials by their ids; those in its table are linked to their row."""
    rows = {e.trial.id for e in listed(run)}
    return {
        e.trial.id: Dot(
            f"trial {e.trial.id}, {counted(e.trial.epochs, 'epoch')}: validation {quantity(run)} {_regret(run, e):.4f}",
            trial_place(e.trial.id) if e.trial.id in rows else "",
        )
        for e in evaluations
    }


def _regret(run: RunData, evaluation: Evaluation) -> float:
    return regret(evaluation.final_valid_error, run.optimum_valid_error)
