"""What a surrogate is worth for cells that are not like those it was fitted to.

Held-out cells are drawn like the training cells, so a model has seen their wirings and their sizes. Cells that a
partial table does not hold may have others. So whole kinds of cells are left out here: fitted to all others, the models
predict them (cf. NAS-Bench-301, Zela et al. 2022, section 4.2, which leaves out what one optimizer has found).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import OPS, CellGraph
from metaopt.core.seeds import stream
from metaopt.surrogates.ensemble import Fitting
from metaopt.surrogates.fitting import FEWEST_CELLS, fit_each, judge_on
from metaopt.surrogates.measured import HELD_OUT, Measured
from metaopt.surrogates.sources import FEWEST_CELLS as FEWEST_JUDGED

#: Of the cells, for a kind of them to be left out: each costs as much as all members do.
SMALLEST_SHARE = 0.05


def kinds(measured: Measured, seed: int) -> dict[str, NDArray[np.bool_]]:
    """Returns which cells are left out together, by what they have in common.

    None are kinds of too few cells of the cell space to say something of ranks, such as those of less than a
    twentieth of all cells, or with too few others to learn from.

    Args:
        measured: N cells.
        seed: Of the choice of wirings: so many that a tenth of the cells has one of them.

    Returns:
        ``wirings`` and ``N vertices``, to (N,).
    """
    graphs = measured.cells.graphs
    sizes = np.array([graph.n_vertices for graph in graphs])
    found = {"wirings": _of_some_wirings(graphs, seed)}
    found |= {f"{size} vertices": sizes == size for size in np.unique(sizes).tolist()}
    fewest = max(FEWEST_JUDGED, SMALLEST_SHARE * len(graphs))
    return {
        name: rows
        for name, rows in found.items()
        if (rows & measured.in_space).sum() >= fewest and (~rows).sum() >= FEWEST_CELLS
    }


def _of_some_wirings(graphs: Sequence[CellGraph], seed: int) -> NDArray[np.bool_]:
    """Draws whole wirings, whatever the operations on them, until a tenth of the cells has one of them."""
    blank = [CellGraph(graph.adjacency, OPS[:1] * len(graph.ops)) for graph in graphs]
    numbers = {graph: graph.hash for graph in set(blank)}  # isomorphic wirings are one
    _, wiring, cells = np.unique([numbers[graph] for graph in blank], return_inverse=True, return_counts=True)
    order = stream(seed, "surrogate wirings").permutation(len(cells))
    drawn = order[: 1 + int(np.searchsorted(np.cumsum(cells[order]), HELD_OUT * len(graphs)))]
    return np.isin(wiring, drawn)


def judge_unlike(
    measured: Measured, configs: Mapping[str, Mapping[str, Any]], how: Fitting, folder: Path
) -> list[dict[str, Any]]:
    """Predicts cells of each kind by surrogates that have seen none of it.

    Args:
        measured: The cells of a table.
        configs: Hyperparameters by model.
        how: Members and so on.
        folder: Where the fitted models are kept.

    Returns:
        By kind: ``cells``, see :func:`kinds`; ``training_cells`` and ``judged_cells``, how many; ``metrics`` as
        :func:`metaopt.surrogates.fitting.judge` has them.
    """
    found = []
    for name, rows in kinds(measured, how.seed).items():
        rest, left_out = np.flatnonzero(~rows), np.flatnonzero(rows & measured.in_space)
        ensembles = fit_each(measured.data.select(rest), configs, how, folder / name.replace(" ", "-"))
        metrics = judge_on(measured.select(left_out), ensembles)
        found.append({"cells": name, "training_cells": len(rest), "judged_cells": len(left_out), "metrics": metrics})
    return found
