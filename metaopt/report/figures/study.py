"""Figures of a study: trajectories of repeated searches, and what tuning was worth to each optimizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle, product
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from metaopt.report.data.groups import Repeats
from metaopt.report.data.regret import regret_name
from metaopt.report.data.trajectories import Curve, curve, quantity_name, trajectories
from metaopt.report.figures.axes import error_axis
from metaopt.report.figures.style import GROUPS, LIGHT, RAMP, Dot, Plot, canvas, draw_dots, legend, panels, slug
from metaopt.report.sections.tuned import Tuned

_DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)))
_ROW, _LINE = 40, 17  # heights of a group and of a line of its label, in CSS pixels
_LABEL = 26  # letters in a line of a label


def tuned_plot(rows: Sequence[Tuned]) -> Plot:
    """Draws every run's regret with the default and tuned, with the means of each group."""
    rows = [row for row in rows if row.default]
    names = [fill(row.label, _LABEL) for row in rows]
    figure, axes = canvas(430, 95 + sum(max(_ROW, _LINE * (1 + name.count("\n"))) for name in names))
    for place, row in enumerate(rows):
        for side, values, height in (("default", row.default, -0.17), ("tuned", row.tuned, 0.17)):
            colour = LIGHT[side]
            said = [Dot(f"{row.label}, {side}: {value:.4f}") for value in values]
            look = {"color": colour, "markersize": 6, "alpha": 0.7, "mec": "none"}
            draw_dots(axes, values, [place + height] * len(values), said, **look)
            axes.plot([np.mean(values)] * 2, [place + height - 0.15, place + height + 0.15], color=colour, linewidth=3)
    for side in ("default", "tuned"):
        axes.plot([], [], "o", color=LIGHT[side], label=side)
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0.0)
    axes.set_xlabel(regret_name([row.optimum_test_error for row in rows]))
    figure.legend(loc="outside upper left", ncols=2)
    caption = "Further left is better: each dot is a run, the mean of its confirming searches; bars are means of runs."
    return Plot("tuned-against-default", "Tuned against default", caption, figure)


def trajectory_plot(repeats: Sequence[Repeats], quantity: str) -> Plot | None:
    """Draws mean and standard error of a quantity over the epochs: a line per configuration, a panel per group.

    Where each group has a single configuration there is one panel, with a line per group.

    Args:
        repeats: What to draw, in order.
        quantity: One of :data:`metaopt.report.data.trajectories.QUANTITIES`.

    Returns:
        None if no search has measured it.
    """
    drawn = [(one, found) for one in repeats if (found := curve(one, quantity)) is not None]
    if not drawn:
        return None
    called = quantity_name(quantity, repeats)
    titles = list(dict.fromkeys(one.group for one, _ in drawn)) if any(one.label for one in repeats) else [""]
    figure, axes = panels(len(titles), *((270, 235) if len(titles) > 1 else (430, 330)))
    names: dict[str, tuple[str, object]] = {}
    looks = cycle((colour, dash) for dash, colour in product(_DASHES, GROUPS))
    for one, found in drawn:
        panel = axes[titles.index(one.group) if len(titles) > 1 else 0]
        name = one.label or one.group
        if name not in names:
            names[name] = next(looks)
        _draw(panel, found, *names[name], label="" if name in panel.get_legend_handles_labels()[1] else name)
    heights = [value for _, found in drawn for value in found.mean]
    for place, (title, panel) in enumerate(zip(titles, axes, strict=True)):
        panel.set_title(title)
        error_axis(panel, heights, called if place % 2 == 0 else "")
        if place + 2 >= len(axes):
            panel.set_xlabel("epochs of the search")
            panel.tick_params(labelbottom=True)
    legend(figure, axes)
    worth = " Of the cell that a search would have returned after that epoch." if quantity == "test_error" else ""
    return Plot(
        f"trajectory-{slug(called)}",
        f"{called[0].upper()}{called[1:]} over the epochs",
        f"Line: mean over the searches; band: one standard error to either side.{worth}",
        figure,
    )


def _draw(axes: Axes, found: Curve, colour: str, dash: object, label: str) -> None:
    low, high = _band(found)
    axes.fill_between(found.epochs, low, high, color=colour, alpha=0.14, linewidth=0)
    marker = "o" if len(found.epochs) == 1 else ""  # a line through one point cannot be seen
    axes.plot(found.epochs, found.mean, color=colour, linestyle=dash, marker=marker, linewidth=1.9, label=label)


def _band(found: Curve) -> tuple[np.ndarray, np.ndarray]:
    return found.mean - found.standard_error, found.mean + found.standard_error


def eigenvalue_plot(repeats: Sequence[Repeats]) -> Plot | None:
    """Draws the dominant eigenvalue against the test regret, a dot per search and epoch; None without any."""
    pairs = [
        (epoch, eigenvalue, regret)
        for one in repeats
        for eigenvalues, regrets in zip(trajectories(one, "eigenvalue"), trajectories(one, "test_error"), strict=True)
        for epoch, (eigenvalue, regret) in enumerate(zip(eigenvalues, regrets, strict=True), start=1)
        if math.isfinite(eigenvalue) and math.isfinite(regret)
    ]
    if not pairs:
        return None
    figure, axes = canvas(400, 300)
    last, called = max(epoch for epoch, _, _ in pairs), quantity_name("test_error", repeats)
    for step, colour in enumerate(RAMP):
        first, end = (last * part // len(RAMP) for part in (step, step + 1))
        part = [(epoch, x, y) for epoch, x, y in pairs if first < epoch <= end]
        if part:
            span = f"{first + 1} to {end}" if end > first + 1 else str(end)
            said = [Dot(f"epoch {epoch}: eigenvalue {x:.3g}, {called} {y:.4f}") for epoch, x, y in part]
            look = {"color": colour, "markersize": 4.5, "mec": "none", "label": f"epochs {span}"}
            draw_dots(axes, [x for _, x, _ in part], [y for *_, y in part], said, **look)
    error_axis(axes, [y for _, _, y in pairs], called)
    axes.set_xlabel("dominant eigenvalue")
    legend(figure, [axes])
    return Plot(
        "eigenvalue-against-regret",
        "Does the curvature tell a bad cell?",
        "Each dot is a search after an epoch: the dominant eigenvalue of the validation loss over the architecture, "
        f"and the {called} of the cell it would have returned.",
        figure,
    )
