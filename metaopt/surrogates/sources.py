"""Does a surrogate hold for cells of a kind that it has not learned from? Leave one source out.

NAS-Bench-301 (Zela et al. 2022, section 4.2) leaves out all cells that one optimizer has found, fits to the others, and
predicts those: good optimizers find cells that random ones are no sample of.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from metaopt.surrogates.ensemble import Fitting, fit_ensemble, spread
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.metrics import quality

#: A source with fewer measured cells says nothing about ranks.
FEWEST_CELLS = 10


def leave_one_out(
    measured: Measured,
    sources: Mapping[str, Collection[str]],
    configs: Mapping[str, Mapping[str, Any]],
    how: Fitting,
    folder: Path,
) -> dict[str, Any]:
    """Predicts the cells of each source by surrogates that have seen no cell of it.

    Args:
        measured: The cells of a table.
        sources: Hashes of the cells by what found them; cells that the table does not hold are left out.
        configs: Hyperparameters by model.
        how: Members and so on.
        folder: Where the fitted models are kept.

    Returns:
        By source: ``cells``, and by model the quality of the validation error; ``cells`` alone where they are less than
        :data:`FEWEST_CELLS`.
    """
    hashes = np.array([graph.hash for graph in measured.cells.graphs])
    found: dict[str, Any] = {}
    for source, of_source in sorted(sources.items()):
        inside = np.isin(hashes, list(of_source))
        found[source] = {"cells": int(inside.sum())}
        if inside.sum() < FEWEST_CELLS:
            continue
        rest, left_out = (measured.data.select(np.flatnonzero(rows)) for rows in (~inside, inside))
        each = {}
        for name, config in configs.items():
            ensemble = fit_ensemble(name, config, rest, how, folder / f"without-{source}")
            each[name] = ensemble.predict_each(left_out.cells)
        groups = {**{name: [of_model] for name, of_model in each.items()}, "all": list(each.values())}
        for name, predictions in groups.items():
            found[source][name] = quality(left_out.errors[:, 0], spread(predictions).mean[:, 0])
    return found
