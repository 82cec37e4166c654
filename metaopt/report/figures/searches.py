"""Figures of what happens inside the searches: one-shot error against the table, and the trajectories."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.figures.axes import error_axis, quantity, regret_dots
from metaopt.report.figures.style import LIGHT, Plot, canvas, legend, stack


def correlation_plot(run: RunData, pairs: Sequence[Evaluation]) -> Plot:
    """Draws the one-shot error of each trial's end against the table's error of its cell.

    Args:
        run: Where the trials are from.
        pairs: Trials that have both.
    """
    figure, axes = canvas()
    thinning = regret_dots(axes, run, pairs, lambda evaluation: evaluation.one_shot_error)
    axes.set_xlabel("one-shot validation error")
    figure.legend(loc="outside upper left", ncols=4, columnspacing=1.0, handletextpad=0.1)
    return Plot(
        "one-shot-against-table",
        "Does the one-shot model know which cells are good?",
        "Each dot is a trial: were the one-shot model a good guide, they would rise from lower left to upper right."
        f"{thinning}",
        figure,
    )


def trajectory_plots(run: RunData, searches: Mapping[str, Evaluation]) -> list[Plot]:
    """Draws the one-shot error and the regret of the discretised cell over the epochs of single searches.

    Args:
        run: Where the searches are from.
        searches: Evaluations with a trajectory by role, ``default`` and ``tuned``.
    """
    kind = quantity(run)
    one_shot, axes = canvas(360, 250)
    regret, below = canvas(360, 250)
    heights: list[float] = []
    for role, evaluation in searches.items():
        trajectory, colour = evaluation.info["trajectory"], LIGHT[role]
        valid = _minus(trajectory.get("valid_error") or [], run.optimum_valid_error)
        test = _minus(trajectory.get("test_error") or [], run.optimum_test_error)
        error = _minus(trajectory.get("one_shot_error") or [], None)
        axes.plot(_epochs(error), error, "o-", color=colour, markersize=3.5, linewidth=1.8, label=role)
        below.plot(
            _epochs(valid), valid, "o-", color=colour, markersize=3.5, linewidth=1.8, label=f"{role}, validation"
        )
        below.plot(_epochs(test), test, color=colour, linewidth=1.4, linestyle=(0, (4, 2)), label=f"{role}, test")
        heights += [*valid, *test]
    axes.set_ylabel("one-shot validation error")
    error_axis(below, heights, kind)
    for figure, panel in ((one_shot, axes), (regret, below)):
        panel.set_xlabel("epochs of the search")
        figure.legend(loc="outside upper left", ncols=2, columnspacing=1.2, handlelength=1.8)
    return [
        Plot(
            "trajectory-one-shot",
            "What the search sees",
            "Validation error of the one-shot model after each epoch of a single search: what the optimizer believes.",
            one_shot,
        ),
        Plot(
            "trajectory-table",
            "What its cell is worth",
            f"Table {kind} of the cell the same search would return after each epoch."
            + _reading(kind, [evaluation.info["trajectory"] for evaluation in searches.values()]),
            regret,
        ),
    ]


def epochs_plot(trajectory: Mapping[str, Sequence[Any]], optima: tuple[float, float]) -> Plot:
    """Draws table regret, one-shot error and, where it was measured, the eigenvalue of one search over its epochs.

    Args:
        trajectory: Columns with one value per epoch; None where there is none.
        optima: Lowest validation and lowest test error in the table.
    """
    valid, test = (
        _minus(trajectory[f"{part}_error"], low) for part, low in zip(("valid", "test"), optima, strict=True)
    )
    lines = {"one-shot error": trajectory["one_shot_error"], "dominant eigenvalue": trajectory.get("eigenvalue")}
    others = {label: _minus(values, None) for label, values in lines.items() if values}
    figure, axes = stack(1 + len(others), 400)
    _draw(axes[0], valid, LIGHT["valid"], "validation")
    _draw(axes[0], test, LIGHT["test"], "test")
    error_axis(axes[0], [*valid, *test], "table regret")
    for panel, colour, (label, values) in zip(
        axes[1:], (LIGHT["default"], LIGHT["extra"]), others.items(), strict=False
    ):
        _draw(panel, values, colour, label)
        panel.set_ylabel(label)
    legend(figure, axes[:1])
    sharpness = " and the sharpness of the validation loss over the architecture" if len(others) > 1 else ""
    axes[-1].set_xlabel("epochs of the search")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return Plot(
        "epochs",
        "What the cell is worth, and what the search sees",
        "Regret in the table of the cell that would be picked after each epoch; below it the error of the one-shot "
        f"model on validation images{sharpness}.{_reading('regret', [trajectory])}{_mark(axes, trajectory)}",
        figure,
    )


def _reading(kind: str, trajectories: Sequence[Mapping[str, Sequence[Any]]]) -> str:
    """Returns how to read two curves, if one of them has two epochs before choices are closed, where errors jump."""
    courses = [
        [sweeps == 0 for sweeps in t.get("sweeps") or [0] * len(t.get("one_shot_error") or ())] for t in trajectories
    ]
    if max(map(sum, courses), default=0) < 2:
        return ""
    where = "" if all(map(all, courses)) else " before the selection of the final cell"
    return f" {kind.capitalize()} that rises while the one-shot error falls{where} means that the search overfits."


def _mark(panels: Sequence[Axes], trajectory: Mapping[str, Sequence[Any]]) -> str:
    """Draws a line at every epoch with a note, and returns what the lines mean."""
    noted = [epoch for epoch, note in enumerate(trajectory.get("note", ()), start=1) if note]
    for panel in panels:
        for epoch in noted:
            panel.axvline(epoch, color=LIGHT["muted"], linewidth=1.2, linestyle=(0, (1, 2)))
    first = next((epoch for epoch, sweeps in enumerate(trajectory.get("sweeps", ()), start=1) if sweeps), None)
    dotted = " Dotted: epochs with a note." if noted else ""
    return dotted if first is None else f"{dotted} From epoch {first} on choices are closed, so that the error jumps."


def _draw(axes: Axes, values: Sequence[float], colour: str, label: str) -> None:
    """Draws values over their epochs and bridges the gaps between those that were measured."""
    known = [(epoch, value) for epoch, value in zip(_epochs(values), values, strict=True) if not math.isnan(value)]
    epochs, heights = [epoch for epoch, _ in known], [value for _, value in known]
    axes.plot(epochs, heights, "o-", color=colour, markersize=3.5, linewidth=1.8, label=label)


def _epochs(values: Sequence[float]) -> range:
    return range(1, len(values) + 1)


def _minus(values: Sequence[float | None], optimum: float | None) -> list[float]:
    return [math.nan if value is None else value - (optimum or 0.0) for value in values]
