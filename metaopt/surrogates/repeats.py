"""Is a surrogate closer to the truth than one training? Table 1 of NAS-Bench-301 (Zela et al. 2022, section 4.1).

A table holds single trainings, and these have noise. For every repeat i a surrogate is fitted to the validation errors
of repeat i alone; the truth is the mean of the other repeats. The table's error is |repeat i - truth|, the
surrogate's |prediction - truth|. As published, the surrogate predicts the cells that it has learned from, so it is
a smoother here; what it says of cells that it has not learned from (out of fold) is reported beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.surrogates.base import Data
from metaopt.surrogates.ensemble import Ensemble, Fitting, fit_ensemble, out_of_fold
from metaopt.surrogates.measured import Measured

#: Cells with a training that went worse are left out, as published.
WORST_ERROR = 0.5


def compare_repeats(
    measured: Measured, configs: Mapping[str, Mapping[str, Any]], how: Fitting, folder: Path
) -> dict[str, Any]:
    """Compares the table's own trainings with surrogates of single repeats.

    Args:
        measured: At least two trainings of every cell; those that only some cells have are left out.
        configs: Hyperparameters by model.
        how: Members and so on; as many folds as members are used, so that every cell has a member that has not seen it.
        folder: Where the fitted models are kept.

    Returns:
        ``cells`` and ``dropped``; ``repeats``: for every i ``table``, and for every model ``MODEL`` and
        ``MODEL_out_of_fold``, all mean absolute errors in [0, 1]; the mean of several models is called ``all``.
    """
    measured = measured.shared
    kept = measured.select(np.flatnonzero((measured.valid_error <= WORST_ERROR).all(axis=1)))
    repeats = []
    for repeat in range(kept.valid_error.shape[1]):
        own = kept.valid_error[:, repeat]
        truth = np.delete(kept.valid_error, repeat, axis=1).mean(axis=1)
        data = Data(kept.cells, own[:, None])

        def fit(name: str, data: Data = data, repeat: int = repeat) -> Ensemble:
            return fit_ensemble(name, configs[name], data, how, folder / f"repeat-{repeat}")

        errors = {"table": float(np.abs(own - truth).mean()), **_of_models(fit, list(configs), data, truth)}
        repeats.append({name: round(value, 7) for name, value in errors.items()})
    return {"cells": len(kept.cells), "dropped": len(measured.cells) - len(kept.cells), "repeats": repeats}


def _of_models(fit: Callable[[str], Ensemble], names: list[str], data: Data, truth: Floats) -> dict[str, float]:
    inside, outside = {}, {}
    for name in names:
        ensemble = fit(name)
        each = ensemble.predict_each(data.cells)
        inside[name], outside[name] = each.mean(axis=0)[:, 0], out_of_fold(ensemble, each)[:, 0]
    if len(names) > 1:
        for found in (inside, outside):
            found["all"] = np.mean(list(found.values()), axis=0)
    return {
        key: float(np.abs(predicted[name] - truth).mean())
        for name in inside
        for key, predicted in ((name, inside), (f"{name}_out_of_fold", outside))
    }
