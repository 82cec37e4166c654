"""Figures of a ranking study: scores against the truth, and how well each way of evaluating ranks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap

from metaopt.report.data.measures import STATISTICS, Measures, Way
from metaopt.report.figures.style import GROUPS, RAMP, Dot, Plot, canvas, draw_dots, panels

_COUNTS = (1, 2, 4, 8, 16)  # cells in a hexagon, one colour each
_GRID = 26  # hexagons across a panel


def scatter_plot(record: Mapping[str, Any], measures: Measures) -> Plot:
    """Draws the one-shot error of all cells under the first supernet against their true error."""
    truth = np.array([cell["valid_error"] for cell in record["cells"]])
    scores = {name: np.array(record["first_supernet"][name]) for name in STATISTICS}
    everything = np.concatenate(list(scores.values()))
    extent = (truth.min(), truth.max(), everything.min(), everything.max())
    figure, axes = panels(len(scores), 270, 215)
    for panel, (name, score) in zip(axes, scores.items(), strict=True):
        _density(panel, truth, score, extent)
        rho = measures.values(Way(name, False, False, "all"), "spearman")
        panel.set_title(f"{name}: ρ = {rho[0]:.2f}" if rho else name, loc="left")
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("true validation error")
        panel.set_ylabel("one-shot error")
    return Plot(
        "one-shot-against-truth",
        "What the supernet says of the cells, and what they are worth",
        f"One supernet, all {len(truth)} cells, evaluated with five kinds of batch norm statistics; darker: more cells "
        f"({', '.join(map(str, _COUNTS))} or more). A supernet that ranks well has them rise from lower left to upper "
        "right.",
        figure,
    )


def _density(axes: Axes, x: Any, y: Any, extent: tuple[float, float, float, float]) -> None:
    colours = ListedColormap(RAMP)
    norm = BoundaryNorm([*_COUNTS, 1e9], len(RAMP))
    axes.hexbin(x, y, gridsize=_GRID, extent=extent, mincnt=1, cmap=colours, norm=norm, linewidths=0)


def spearman_plot(measures: Measures) -> Plot:
    """Draws Spearman's correlation of every supernet, by statistics and defects, over all cells."""
    ways = [way for way in measures.ways if way.among == "all"]
    defects = list(dict.fromkeys(way.defects for way in ways))
    figure, axes = canvas(430, 90 + 46 * len(STATISTICS))
    for way in ways:
        colour = GROUPS[defects.index(way.defects)]
        step = 0.7 / len(defects)
        place = list(STATISTICS).index(way.batch_norm) + step * (defects.index(way.defects) - (len(defects) - 1) / 2)
        values = measures.values(way, "spearman")
        said = [Dot(f"supernet {seed}, {way.batch_norm}, {way.defects}: {rho:.3f}") for seed, rho in enumerate(values)]
        look = {"color": colour, "markersize": 5, "alpha": 0.7, "mec": "none"}
        draw_dots(axes, values, [place] * len(values), said, **look)
        if values:
            axes.plot([np.mean(values)] * 2, [place - step / 2.4, place + step / 2.4], color=colour, linewidth=2.6)
    for text, colour in zip(defects, GROUPS, strict=False):
        axes.plot([], [], "o", color=colour, label=text)
    axes.set_yticks(range(len(STATISTICS)), list(STATISTICS))
    axes.set_ylim(len(STATISTICS) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Spearman correlation with the true error")
    figure.legend(loc="outside upper left", ncols=2, title="defects of the evaluation", alignment="left")
    return Plot(
        "spearman",
        "How well the cells are ranked, by batch norm statistics and defects",
        "Further right is better: each dot is a supernet, each bar the mean of them; one-shot error against the true "
        "error of all cells.",
        figure,
    )


def epochs_plot(measures: Measures) -> Plot:
    """Draws Spearman's correlation over the epochs of the search, without defects, over all cells."""
    figure, axes = canvas(400, 300)
    for name, colour in zip(STATISTICS, GROUPS, strict=False):
        way = Way(name, False, False, "all")
        means = [np.mean(measures.values(way, "spearman", epochs=epochs) or [np.nan]) for epochs in measures.epochs]
        axes.plot(measures.epochs, means, "o-", color=colour, markersize=4, linewidth=1.8, label=name)
    axes.set_xlabel("epochs of the search")
    axes.set_ylabel("Spearman correlation with the true error")
    figure.legend(loc="outside upper left", ncols=3)
    return Plot(
        "spearman-over-epochs",
        "How well the cells are ranked over the epochs of the search",
        "Higher is better: mean over the supernets of one-shot error against the true error of all cells.",
        figure,
    )
