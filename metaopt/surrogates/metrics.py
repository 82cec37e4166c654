"""How well predictions agree with the truth (NAS-Bench-301, Zela et al. 2022, sections 4.2 and 4.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from metaopt.core.arrays import Floats

#: Decimals of an error to which predictions are rounded for the sparse tau: 0.1 % of accuracy, as in NAS-Bench-301.
SPARSE_DECIMALS = 3


def quality(truth: Floats, predicted: Floats) -> dict[str, float | None]:
    """Returns how close predictions are, and how well they rank.

    Args:
        truth: (N,) errors in [0, 1].
        predicted: (N,) likewise.

    Returns:
        ``r2``; ``spearman``; ``kendall`` and ``sparse_kendall`` (tau-b, the latter of predictions rounded to 0.1 %);
        ``mae`` and ``median_ae`` in [0, 1]. None where it is not defined.
    """
    spread = float(((truth - truth.mean()) ** 2).sum())
    difference = np.abs(truth - predicted)
    varied = len(truth) > 1 and spread > 0 and np.ptp(predicted) > 0
    sparse = np.round(predicted, SPARSE_DECIMALS)
    return {
        "r2": _plain(1 - float((difference**2).sum()) / spread) if spread > 0 else None,
        "spearman": _plain(stats.spearmanr(truth, predicted).statistic) if varied else None,
        "kendall": _plain(stats.kendalltau(truth, predicted).statistic) if varied else None,
        "sparse_kendall": _plain(stats.kendalltau(truth, sparse).statistic) if varied and np.ptp(sparse) > 0 else None,
        "mae": _plain(difference.mean()),
        "median_ae": _plain(np.median(difference)),
    }


def noise_quality(repeats: Floats, mean: Floats, std: Floats) -> dict[str, Any]:
    """Returns how well the spread of an ensemble describes the spread of repeated trainings.

    A single training of the table is the yardstick of the mean: as an answer to what the other trainings gave.

    Args:
        repeats: (N, S) errors of single trainings, S at least 2.
        mean: (N,) predicted.
        std: (N,) predicted, in the unit of the errors.

    Returns:
        ``mae_table``: mean |repeat - mean of the others|; ``mae_surrogate``: mean |prediction - mean of the others|
        over the same splits; ``mae_single``: mean |prediction - repeat|; ``sigma_table``: mean population standard
        deviation over the repeats; ``sigma_surrogate``: mean predicted one; ``kl``: mean and ``kl_median`` median of
        KL(N(true) || N(predicted)) over cells where neither standard deviation is 0; ``kl_cells``: how many these are.
    """
    others = np.stack([np.delete(repeats, s, axis=1).mean(axis=1) for s in range(repeats.shape[1])], axis=1)
    true_std = repeats.std(axis=1)
    both = (true_std > 0) & (std > 0)
    divergence = gaussian_kl(repeats.mean(axis=1)[both], true_std[both], mean[both], std[both])
    return {
        "mae_table": _plain(np.abs(repeats - others).mean()),
        "mae_surrogate": _plain(np.abs(mean[:, None] - others).mean()),
        "mae_single": _plain(np.abs(mean[:, None] - repeats).mean()),
        "sigma_table": _plain(true_std.mean()),
        "sigma_surrogate": _plain(std.mean()),
        "kl": _plain(divergence.mean()) if both.any() else None,
        "kl_median": _plain(np.median(divergence)) if both.any() else None,
        "kl_cells": int(both.sum()),
    }


def gaussian_kl(mean: Floats, std: Floats, other_mean: Floats, other_std: Floats) -> Floats:
    """Returns KL(N(mean, std^2) || N(other_mean, other_std^2)) in nats, element by element."""
    divergence: Floats = np.log(other_std / std) + (std**2 + (mean - other_mean) ** 2) / (2 * other_std**2) - 0.5
    return divergence


def _plain(value: float | np.floating[Any]) -> float:
    return round(float(value), 6)
