"""How well scores rank cells: rank correlations, and what they say of the best cells.

Scores and truths are minimized: a lower one is a better cell. Every measure but the ranks is +1 where the scores order
the cells as the truth does. A measure that does not exist, because all values are equal or there are too few, is NaN.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import kendalltau, rankdata

from metaopt.core.arrays import Floats

#: Sizes of the truly best sets that are looked at one by one: "Exploring single-path architecture search ranking
#: correlations", section 3.
TOP_CELLS = (10, 25, 50, 150, 250, 500)
#: Shares of the cells, in percent, that a search might look at more closely.
TOP_PERCENT = (1, 5, 10)
#: Points with the lowest one-shot error that the correlation study of 1Shot1's released code also looks at.
TOP_POINTS = 1000


@dataclass(frozen=True)
class Top:
    """The N truly best cells.

    Attributes:
        cells: N.
        kendall_a: Between score and truth among them.
        mean_score: Their mean score.
    """

    cells: int
    kendall_a: float
    mean_score: float


@dataclass(frozen=True)
class Agreement:
    """All measures of one set of scores.

    Attributes:
        cells: Number of cells.
        spearman: Between score and mean truth.
        kendall_a: See :func:`kendall_a`.
        kendall_b: See :func:`kendall_b`.
        spearman_points: As 1Shot1 counts: every repeat of the truth is a point of its own, with its cell's score.
        spearman_top_points: The same for the :data:`TOP_POINTS` points of the lowest score.
        top: Of the truly best :data:`TOP_CELLS`, as far as there are more cells than that.
        series_kendall: Tau-a of N and the mean score of the N best; +1: the better the cells, the better their mean
            score. On accuracies, its negative is the tau_a of the study at :data:`TOP_CELLS`, where -1 is best.
        precision: Per percentage K, the share of the K % of lowest score that are truly among the best K %.
        best_rank: Per percentage K, the best true rank, from 1, among the K % of lowest score.
    """

    cells: int
    spearman: float
    kendall_a: float
    kendall_b: float
    spearman_points: float
    spearman_top_points: float
    top: tuple[Top, ...]
    series_kendall: float
    precision: dict[int, float]
    best_rank: dict[int, int]

    @classmethod
    def of(cls, score: ArrayLike, truth: ArrayLike) -> Agreement:
        """Measures scores against repeated truths.

        Args:
            score: (K,) of K cells; may be infinite, not NaN.
            truth: (K, S) of S repeats; their mean, rounded to six places, is the truth.

        Raises:
            ValueError: if a shape is not as stated, if there is no cell, or if something is NaN.
        """
        score, truths = np.asarray(score, float), np.asarray(truth, float)
        if score.ndim != 1 or truths.ndim != 2 or not len(score) == len(truths) > 0 or not truths.shape[1]:
            raise ValueError(f"need scores (K,) and truths (K, S), got {score.shape} and {truths.shape}")
        if np.isnan(score).any() or not np.isfinite(truths).all():
            raise ValueError("a score or a truth is not a number")
        # Errors are shares of whole images: means that are equal must not differ by what is rounded off.
        mean = truths.mean(axis=1).round(6)
        points, repeats = np.repeat(score, truths.shape[1]), truths.ravel()
        lowest = np.argsort(points, kind="stable")[:TOP_POINTS]
        top = _top(score, mean)
        series = np.array([entry.mean_score for entry in top])
        return cls(
            cells=len(score),
            spearman=spearman(score, mean),
            kendall_a=kendall_a(score, mean),
            kendall_b=kendall_b(score, mean),
            spearman_points=spearman(points, repeats),
            spearman_top_points=spearman(points[lowest], repeats[lowest]),
            top=top,
            series_kendall=kendall_a([entry.cells for entry in top], series),
            precision={percent: precision(score, mean, _share(len(score), percent)) for percent in TOP_PERCENT},
            best_rank={percent: best_rank(score, mean, _share(len(score), percent)) for percent in TOP_PERCENT},
        )

    def to_json(self) -> dict[str, Any]:
        """Returns plain JSON values; null is: there is no such measure."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _top(score: Floats, truth: Floats) -> tuple[Top, ...]:
    best = np.argsort(truth, kind="stable")
    sets = [best[:cells] for cells in TOP_CELLS if cells < len(score)]
    return tuple(Top(len(s), kendall_a(score[s], truth[s]), float(score[s].mean())) for s in sets)


def _share(cells: int, percent: int) -> int:
    return max(1, round(cells * percent / 100))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Returns Spearman's rho: Pearson's correlation of the ranks, equal values having their mean rank."""
    first, second = rankdata(x), rankdata(y)
    first, second = first - first.mean(), second - second.mean()
    norm = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / norm if norm else math.nan


def kendall_a(x: ArrayLike, y: ArrayLike) -> float:
    """Returns Kendall's tau-a, (C - D) / (n (n - 1) / 2) (Kendall 1938).

    A pair that is tied in ``x`` or ``y`` is neither concordant (C) nor discordant (D) and stays in the denominator, so
    that scores that cannot tell cells apart are no better than a guess. Needs n numbers of memory.
    """
    # Ranks, because infinite scores have no difference.
    first, second = (rankdata(values, method="dense").astype(np.int64) for values in (x, y))
    n = len(first)
    agreeing = sum(int(np.sign(first[i + 1 :] - first[i]) @ np.sign(second[i + 1 :] - second[i])) for i in range(n - 1))
    return agreeing / (n * (n - 1) / 2) if n > 1 else math.nan


def kendall_b(x: ArrayLike, y: ArrayLike) -> float:
    """Returns Kendall's tau-b, in which only pairs that are tied in neither count in the denominator (Kendall 1945)."""
    first, second = rankdata(x), rankdata(y)
    return float(kendalltau(first, second).statistic) if len(first) > 1 else math.nan


def precision(score: ArrayLike, truth: ArrayLike, cells: int) -> float:
    """Returns the share of the ``cells`` cells of lowest score that are truly among the best ``cells``.

    Where a border runs through equal values, the expectation over random orders of these.
    """
    return float(_membership(np.asarray(score), cells) @ _membership(np.asarray(truth), cells)) / cells


def _membership(values: Floats, size: int) -> Floats:
    """Returns the probability of every entry to be among the ``size`` lowest, equal values in random order."""
    border = np.sort(values)[size - 1]
    below, tied = values < border, values == border
    probability: Floats = below + tied * ((size - below.sum()) / tied.sum())
    return probability


def best_rank(score: ArrayLike, truth: ArrayLike, cells: int) -> int:
    """Returns the best true rank, from 1, among the ``cells`` cells of lowest score; of equal ones the first given."""
    chosen = np.argsort(score, kind="stable")[:cells]
    return int(rankdata(truth, method="min")[chosen].min())
