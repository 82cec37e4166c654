"""Figures of anytime curves: all groups in one as far as they can be told apart; each before the others if many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, product
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metaopt.report.data.anytime import Summary
from metaopt.report.data.clocks import View, is_log
from metaopt.report.figures.axes import error_axis, log_axis
from metaopt.report.figures.style import GROUPS, LIGHT, Plot, legend, legend_width, panels
from metaopt.report.stats.bootstrap import FEWEST
from metaopt.report.stats.curves import step_values

#: Most groups whose bands may lie over each other.
BANDED = 6
#: Most groups that do without a panel each.
_FEW = 3
_DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)))
#: Most groups that look different in one figure.
DISTINCT = len(_DASHES) * len(GROUPS)
_COLUMNS, _PANEL = 4, (150, 125)  # of the figure with a panel per group; sizes in CSS pixels
_TITLE = 24  # letters in a line of a small panel's title
_CURVES = ("mean", "median")
_WIDTH, _LEGEND_ROW = 300, 16  # CSS pixels: of a panel with all groups, of a line of its legend

#: A colour and a dash for every group.
Looks = Mapping[str, tuple[str, object]]


def looks(labels: Sequence[str]) -> Looks:
    """Returns a colour and a dash for every group: colours first, so that few groups differ in colour alone."""
    drawn = cycle((colour, dash) for dash, colour in product(_DASHES, GROUPS))
    return dict(zip(labels, drawn, strict=False))


def anytime_plot(view: View, found: Sequence[Summary], of: Looks, regret: str, prefix: str) -> Plot | None:
    """Draws mean and median side by side, with bands where few groups are drawn.

    Args:
        view: Whose clock is the x axis.
        found: The groups.
        of: How each looks, the same in all figures of a problem.
        regret: What the y axis is called.
        prefix: Of the figure's name.

    Returns:
        None if no group has a curve, or more have one than can look different; their means then are in a panel each.
    """
    drawn = [one for one in found if one.grid.size]
    if not 0 < len(drawn) <= DISTINCT:
        return None
    names = [f"{one.label}, n = {one.n}" for one in drawn]
    figure, axes = panels(len(_CURVES), _WIDTH, 235 + _LEGEND_ROW * _legend_rows(names))
    banded = len(drawn) <= BANDED
    for panel, kind in zip(axes, _CURVES, strict=True):
        panel.set_title(f"{kind} over runs")
        for one, name in zip(drawn, names, strict=True):
            _curve(panel, one, kind, *of[one.label], banded=banded, label=name)
    _frame(view, axes, drawn)
    error_axis(axes[0], _heights(drawn, banded), regret)
    for panel in axes:
        panel.set_xlabel(view.clock.label if len(view.clock.label) < 30 else view.clock.label.replace(", ", ",\n"))
    legend(figure, axes)
    bands = f"; {_bands(drawn)}" if banded else "; bands are in the figure before"
    return Plot(
        f"{prefix}anytime-{view.clock.name}",
        f"{regret.capitalize()} over {view.clock.label}",
        f"Lower is better: {regret} of the cell with the lowest validation error until then{bands}.",
        figure,
    )


def _legend_rows(names: Sequence[str]) -> int:
    columns = max(1, int(len(_CURVES) * _WIDTH / legend_width(names)))
    return -(-len(names) // columns)


def single_plot(view: View, found: Sequence[Summary], of: Looks, regret: str, prefix: str) -> Plot | None:
    """Draws a small panel per group, its mean with a band before those of all others; None for few groups."""
    drawn = [one for one in found if one.grid.size]
    if len(drawn) <= _FEW:
        return None
    figure, axes = _small_panels(len(drawn))
    gray = _others(axes, drawn)
    for panel, own in zip(axes, drawn, strict=True):
        _curve(panel, own, "mean", of[own.label][0], "-", banded=True, label="")
        panel.set_title(fill(own.label, _TITLE), fontsize=9)
        panel.tick_params(labelsize=8)
    _frame(view, axes, drawn)
    error_axis(axes[0], _heights(drawn, banded=True), "")
    figure.supxlabel(view.clock.label, fontsize=10.5, color=LIGHT["muted"])
    figure.supylabel(regret, fontsize=10.5, color=LIGHT["muted"])
    return Plot(
        f"{prefix}anytime-{view.clock.name}-each",
        f"Each group over {view.clock.label}",
        f"Mean over the runs of the group; {_bands(drawn)}; gray: {gray}.",
        figure,
    )


def _others(axes: Sequence[Axes], drawn: Sequence[Summary]) -> str:
    """Draws in every panel where the others are, and returns in words what stands for them.

    Of many groups that is their range: with a line of each in the panel of each, 55 groups have 3,000.
    """
    if len(drawn) <= DISTINCT:
        for panel, one in product(axes, drawn):
            panel.step(one.grid, one.mean, where="post", color=LIGHT["rule"], linewidth=0.7)
        return "the means of the others"
    grid = np.unique(np.concatenate([one.grid for one in drawn]))
    means = [np.where(grid <= one.grid[-1], step_values(one.grid, one.mean, grid), np.nan) for one in drawn]
    low, high = np.nanmin(means, axis=0), np.nanmax(means, axis=0)
    for panel in axes:
        panel.fill_between(grid, low, high, step="post", color=LIGHT["grid"], linewidth=0)
    return "from the lowest to the highest mean of all groups"


def _small_panels(n: int) -> tuple[Figure, list[Axes]]:
    rows = -(-n // _COLUMNS)
    size = (_COLUMNS * _PANEL[0] / 72, (rows * _PANEL[1] + 30) / 72)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    for empty in grid.flat[n:]:
        empty.remove()
    for lowest in grid.flat[max(0, n - _COLUMNS) : n]:  # also above an empty place
        lowest.tick_params(labelbottom=True)
    return figure, list(grid.flat[:n])


def _curve(axes: Axes, one: Summary, kind: str, colour: str, dash: object, *, banded: bool, label: str) -> None:
    middle, band = getattr(one, kind), getattr(one, f"{kind}_band")
    if banded and band is None:
        axes.step(one.grid, one.values.T, where="post", color=colour, linewidth=0.7, alpha=0.6)
    if banded and band is not None:
        low, high = band
        axes.fill_between(one.grid, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    marker = "o" if one.grid.size == 1 else ""  # a line through one point cannot be seen
    axes.step(one.grid, middle, where="post", color=colour, linestyle=dash, marker=marker, linewidth=1.9, label=label)


def _frame(view: View, axes: Sequence[Axes], drawn: Sequence[Summary]) -> None:
    first, last = min(one.grid[0] for one in drawn), max(one.grid[-1] for one in drawn)
    for panel in axes:
        if is_log(view):
            log_axis(panel, "x", first, last)
        elif view.clock.field != "seconds":
            panel.set_xlim(left=0)
        if view.budget < last:
            panel.axvline(view.budget, color=LIGHT["muted"], linewidth=1.0, linestyle=(0, (1, 2)))


def _bands(drawn: Sequence[Summary]) -> str:
    """Returns what stands around the curves."""
    there = {one.mean_band is not None for one in drawn}
    words = {True: "band: 95 % bootstrap interval", False: f"thin: each run where there are fewer than {FEWEST}"}
    return "; ".join(words[one] for one in (True, False) if one in there)


def _heights(drawn: Sequence[Summary], banded: bool) -> list[float]:
    curves = [values for one in drawn for values in (one.mean, one.median)]
    bands = [band for one in drawn for both in (one.mean_band, one.median_band) if both and banded for band in both]
    runs = [one.values.ravel() for one in drawn if banded and one.mean_band is None]
    return [float(value) for value in np.concatenate([*curves, *bands, *runs])]
