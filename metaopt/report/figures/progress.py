"""Figures of what tuning achieved: anytime regret of one run and of several, and the confirmation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from metaopt.core.arrays import Floats
from metaopt.report.data.incumbents import anytime
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.data.thinning import corners, thinned, thinning_note
from metaopt.report.figures.axes import error_axis, quantity, trial_dots
from metaopt.report.figures.style import GROUPS, LIGHT, Dot, Plot, canvas, draw_dots, legend
from metaopt.report.stats.curves import band, regret

_CLOCKS = {"evaluations": "evaluations", "seconds": "seconds of the run"}
_SPLITS = {"valid": "validation", "test": "test"}
_DASHED = (0, (4, 2))


def anytime_plot(run: RunData, clock: str) -> Plot:
    """Draws validation and test regret of the incumbent over ``clock``: ``evaluations`` or ``seconds``."""
    curve, kind = anytime(run), quantity(run)
    x = getattr(curve, clock)
    dots = thinned(run, run.told)
    drawn = {e.trial.id for e in dots}
    each = [regret(e.final_valid_error, run.optimum_valid_error) for e in dots]
    at = [place for place, e in zip(x, run.told, strict=True) if e.trial.id in drawn]
    figure, axes = canvas()
    said = trial_dots(run, dots)
    draw_dots(
        axes, at, each, [said[e.trial.id] for e in dots], color=LIGHT["rule"], markersize=3.6, label="each evaluation"
    )
    _step(axes, x, curve.valid, color=LIGHT["valid"], linewidth=2.2, label="validation")
    _step(axes, x, curve.test, color=LIGHT["test"], linewidth=1.8, linestyle=_DASHED, label="test")
    error_axis(axes, [*each, *curve.valid, *curve.test], kind)
    axes.set_xlabel(_CLOCKS[clock])
    axes.set_xlim(left=0)
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1.1, handlelength=1.7, handletextpad=0.5)
    return Plot(
        f"anytime-{clock}",
        f"Best cell so far over {clock}",
        f"Lower is better: {kind} of the cell with the lowest validation error found until then, at whatever epochs; "
        f"test error is shown and never chooses. Dots: validation {kind} of the cell of every evaluation."
        + (" All of it is of cells after all epochs." if run.looks_up else "")
        + thinning_note(len(dots), len(run.told)),
        figure,
    )


def comparison_plot(groups: Mapping[str, Sequence[RunData]], clock: str, split: str) -> Plot:
    """Draws the ``split`` (``valid`` or ``test``) regret of several runs over ``clock``, one colour per group."""
    figure, axes = canvas(400, 300)
    kinds = sorted({quantity(run) for runs in groups.values() for run in runs})
    values: list[float] = []
    for colour, (label, runs) in zip(cycle(GROUPS), groups.items(), strict=False):
        curves = [anytime(run) for run in runs]
        lines = [(getattr(curve, clock), getattr(curve, split)) for curve in curves]
        values += [value for _, y in lines for value in y]
        _draw_group(axes, lines, colour, f"{label}, n = {len(runs)}")
    kind = f"{_SPLITS[split]} {' or '.join(kinds)}"
    error_axis(axes, values, kind)
    axes.set_xlabel(_CLOCKS[clock])
    axes.set_xlim(left=0)
    legend(figure, [axes])
    return Plot(
        f"compare-{split}-{clock}",
        f"{kind.capitalize()} over {clock}",
        "Thin: each run. Of several runs: thick their mean, dashed their median, band from the 25 % to the 75 % "
        "quantile, drawn until the shortest run ends. Validation error chooses the cell.",
        figure,
    )


def _draw_group(axes: Axes, curves: Sequence[tuple[Floats, Floats]], colour: str, label: str) -> None:
    summary = band(curves) if len(curves) > 1 else None
    thin = summary is not None
    for x, y in curves:
        _step(axes, x, y, color=colour, linewidth=0.8 if thin else 2.0, alpha=0.6 if thin else 1.0)
    if summary is not None:
        grid, ends = corners(summary.grid, np.stack([summary.low, summary.high], axis=1))
        axes.fill_between(grid, ends[:, 0], ends[:, 1], step="post", color=colour, alpha=0.16, linewidth=0)
        _step(axes, summary.grid, summary.mean, color=colour, linewidth=2.4)
        _step(axes, summary.grid, summary.median, color=colour, linewidth=1.5, linestyle=_DASHED)
    axes.plot([], [], color=colour, linewidth=2.2, label=label)


def _step(axes: Axes, x: Floats, y: Floats, **look: Any) -> None:
    axes.step(*corners(x, y), where="post", **look)


def confirmation_plot(run: RunData, default: Sequence[Evaluation], tuned: Sequence[Evaluation]) -> Plot:
    """Draws every repeat of the confirmation, with means."""
    kind = quantity(run)
    figure, axes = canvas(360, 210)
    rows = [
        ("default, test", default, "test_error", run.optimum_test_error, "default"),
        ("tuned, test", tuned, "test_error", run.optimum_test_error, "tuned"),
        ("default, validation", default, "valid_error", run.optimum_valid_error, "default"),
        ("tuned, validation", tuned, "valid_error", run.optimum_valid_error, "tuned"),
    ]
    for place, (name, repeats, field, optimum, colour) in enumerate(rows):
        values = [regret(getattr(e, field), optimum) for e in repeats if e.ok]
        said = [Dot(f"{name}, seed {e.trial.seed}: {kind} {v:.4f}") for e, v in zip(repeats, values, strict=False)]
        look = {"color": LIGHT[colour], "markersize": 7, "alpha": 0.75, "mec": "none"}
        draw_dots(axes, values, _spread(place, len(values)).tolist(), said, **look)
        if values:
            axes.plot([np.mean(values)] * 2, [place - 0.34, place + 0.34], color=LIGHT[colour], linewidth=2.6)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(kind)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    return Plot(
        "confirmation",
        "Default against tuned, searched again",
        f"Further left is better: each dot is a search with a fresh seed, each bar the mean {kind}; these searches "
        "had no part in the choice.",
        figure,
    )


def _spread(place: float, n: int) -> Floats:
    """Returns n heights around ``place``, so that equal values stay apart."""
    return place + (np.linspace(-0.2, 0.2, n) if n > 1 else np.zeros(n))
