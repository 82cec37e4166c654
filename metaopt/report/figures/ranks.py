"""The critical-difference diagram, and average ranks over the budget.

The diagram is drawn here, because scikit-posthocs 0.17.1 takes its bars from sets of names, whose order differs from
process to process: the same page would not have the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from metaopt.report.data.blocks import Blocks
from metaopt.report.figures.anytime import looks
from metaopt.report.figures.axes import log_axis
from metaopt.report.figures.style import LIGHT, Plot, canvas, legend
from metaopt.report.stats.ranks import Ranking, mean_ranks

_WIDTH, _SCALE = 560.0, 280.0  # CSS pixels: least width of the figure, and of the scale between its labels
_ROW, _BAR = 19.0, 10.0  # CSS pixels: height of a label, of a bar
_LETTER = 6.6  # mean width of one
_MOST_LABELS = 13  # of ranks on the scale


def difference_plot(found: Ranking, prefix: str) -> Plot:
    """Draws average ranks on a line; bars join groups that the tests do not tell apart, dots on them are its groups."""
    k = len(found.labels)
    left = (k + 1) // 2
    levels = _levels(found)
    height = _ROW * (left - 0.1) + _BAR * (max(levels, default=0) + 2)
    widest = max(len(label) for label in found.labels) * _LETTER + 40
    width = max(_WIDTH, 2 * widest + _SCALE)
    figure, axes = canvas(width, height + 45)
    first_rank, last_rank = math.floor(found.ranks.min()), math.ceil(found.ranks.max())
    last_rank = max(last_rank, first_rank + 1)
    span = (width - 2 * widest) / (last_rank - first_rank)  # CSS pixels of a rank
    axes.set_xlim(first_rank - widest / span, last_rank + widest / span)
    axes.set_ylim(-height, 4)
    _scale(axes, first_rank, last_rank)
    for bar, level in zip(found.cliques, levels, strict=True):
        y = -_BAR * (level + 1)
        places = found.ranks[list(bar)]
        axes.plot([places.min(), places.max()], [y, y], color=LIGHT["ink"], linewidth=3.4, zorder=3)
        axes.plot(places, [y] * len(places), "o", color=LIGHT["ink"], markersize=6.5, mec=LIGHT["surface"], zorder=4)
    below = -_BAR * (max(levels, default=-1) + 2)
    for place, (label, rank) in enumerate(zip(found.labels, found.ranks, strict=True)):
        first = place < left
        y = below - _ROW * (place if first else k - 1 - place) - _ROW * 0.3
        edge = first_rank - 8 / span if first else last_rank + 8 / span
        axes.plot([rank, rank, edge], [0, y, y], color=LIGHT["muted"], linewidth=1.0)
        text = f"{label}  {rank:.2f}" if first else f"{rank:.2f}  {label}"
        axes.text(edge, y, f"{text} " if first else f" {text}", ha="right" if first else "left", va="center")
    return Plot(
        f"{prefix}critical-difference",
        "Average ranks, and what is not told apart",
        f"Further left is better: average rank over {found.n_blocks} blocks. A bar joins groups of which no two are "
        "told apart; its dots are those groups, so a line that passes a bar without a dot is not one of them.",
        figure,
    )


def _scale(axes: Axes, first: int, last: int) -> None:
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.plot([first, last], [0, 0], color=LIGHT["rule"], linewidth=1.2, clip_on=False)
    for rank in range(first, last + 1, 1 if last - first < _MOST_LABELS else 5):
        axes.plot([rank, rank], [0, 4], color=LIGHT["rule"], linewidth=1.2, clip_on=False)
        axes.text(rank, 8, str(rank), ha="center", va="bottom", color=LIGHT["muted"], clip_on=False)


def _levels(found: Ranking) -> list[int]:
    """Returns on which of several lines each bar is drawn, so that none touches another."""
    ends: list[float] = []
    levels = []
    for bar in found.cliques:
        low, high = found.ranks[list(bar)].min(), found.ranks[list(bar)].max()
        free = next((level for level, end in enumerate(ends) if end < low), len(ends))
        ends[free : free + 1] = [high]
        levels.append(free)
    return levels


def rank_plot(found: Blocks, prefix: str) -> Plot:
    """Draws the average rank of each group over the common budget."""
    figure, axes = canvas(430, 330)
    begun = np.isfinite(found.values).any(axis=(1, 2))
    x, name = _budget(found)
    x, ranks = x[begun], mean_ranks(found.values)[begun]
    of = looks(found.labels)
    for place, label in enumerate(found.labels):
        colour, dash = of[label]
        axes.step(x, ranks[:, place], where="post", color=colour, linestyle=dash, linewidth=1.9, label=label)
    k = len(found.labels)
    axes.set_ylim(k + 0.2, 0.8)
    axes.set_yticks(_ticks(k))
    axes.set_ylabel("average rank")
    axes.set_xlabel(name)
    log_axis(axes, "x", x[0], x[-1])
    legend(figure, [axes])
    return Plot(
        f"{prefix}ranks",
        "Average rank over the budget",
        f"Higher is better: average over {len(found.names)} blocks of the rank of each incumbent's test regret; equal "
        "regrets share their rank, a run without a cell ranks last.",
        figure,
    )


def _budget(found: Blocks) -> tuple[np.ndarray, str]:
    if len(found.budgets) > 1:
        return 100 * found.shares, "% of the common budget of each problem"
    x = found.shares * found.budgets[0]
    return x, found.clocks[0]


def _ticks(k: int) -> Sequence[int]:
    return range(1, k + 1) if k <= 10 else [1, *range(5, k + 1, 5)]
