"""Ranks over blocks: average ranks, Friedman's test, and which groups the pairwise tests do not tell apart.

Demsar (2006), "Statistical Comparisons of Classifiers over Multiple Data Sets", section 3.2, with the pairwise
signed-rank tests and Holm's correction of Benavoli, Corani and Mangili (2016), "Should We Really Use Post-Hoc Tests
Based on Mean-Ranks?", in place of Nemenyi's, because those do not depend on which other groups take part.

A block is a seed of a problem: every group has one run in it. Seeds of one problem share its cells, so ranks over
seeds of a single problem say something of that problem only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from metaopt.core.arrays import Floats
from metaopt.report.stats.pairwise import ALPHA, holm, signed_rank, smallest_signed_rank

#: Fewest blocks that are ranked: below them no signed-rank test can give a p below 5 %.
FEWEST_BLOCKS = next(n for n in range(1, 100) if smallest_signed_rank(n) < ALPHA)


@dataclass(frozen=True)
class Ranking:
    """Groups by their average rank, the best first.

    Attributes:
        labels: Of the k groups.
        ranks: (k,) average over blocks; 1 is the best.
        n_blocks: How many.
        friedman_p: That all groups are alike; None for two groups, or if all values of all blocks are tied.
        corrected: (k, k) p of the pairwise tests, corrected by Holm; 1 on the diagonal.
        cliques: Largest sets of groups, as places in ``labels``, of which no two are told apart; no sets of one.
    """

    labels: tuple[str, ...]
    ranks: Floats
    n_blocks: int
    friedman_p: float | None
    corrected: Floats
    cliques: tuple[tuple[int, ...], ...]


def ranking(labels: Sequence[str], values: Floats) -> Ranking:
    """Returns groups by their average rank, with the tests.

    Args:
        labels: Of the k groups.
        values: (n, k) what each has in each block; lower is better, equal values share their ranks.
    """
    average = stats.rankdata(values, axis=1).mean(axis=0)
    order = np.argsort(average, kind="stable")
    values = values[:, order]
    p_value = _friedman(values)
    corrected = _pairwise(values)
    apart = corrected < ALPHA if p_value is None or p_value < ALPHA else np.zeros_like(corrected, dtype=bool)
    return Ranking(
        labels=tuple(labels[place] for place in order),
        ranks=average[order],
        n_blocks=len(values),
        friedman_p=p_value,
        corrected=corrected,
        cliques=cliques(~apart),
    )


def mean_ranks(values: Floats) -> Floats:
    """Returns the average rank of each group at each place, (m, k); equal values share their ranks.

    Args:
        values: (m, n, k) values of k groups in n blocks at m places; lower is better.
    """
    return np.asarray(stats.rankdata(values, axis=2).mean(axis=1))


def _friedman(values: Floats) -> float | None:
    """Returns the p of Friedman's test, by the chi-squared distribution and corrected for ties."""
    if values.shape[1] < 3 or all(len(set(row)) == 1 for row in values.tolist()):
        return None
    return float(stats.friedmanchisquare(*stats.rankdata(values, axis=1).T).pvalue)


def _pairwise(values: Floats) -> Floats:
    k = values.shape[1]
    places = list(combinations(range(k), 2))
    corrected = np.ones((k, k))
    for (i, j), p_value in zip(
        places, holm([signed_rank(values[:, i], values[:, j])[0] for i, j in places]), strict=True
    ):
        corrected[i, j] = corrected[j, i] = p_value
    return corrected


def cliques(alike: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Returns the largest sets of places of which any two are alike, without sets of one, in ascending order.

    Bron and Kerbosch (1973), "Algorithm 457: Finding All Cliques of an Undirected Graph".

    Args:
        alike: (k, k) symmetric.
    """
    near = [{j for j in range(len(alike)) if j != i and alike[i, j]} for i in range(len(alike))]
    found: list[tuple[int, ...]] = []

    def grow(inside: set[int], may: set[int], not_any_more: set[int]) -> None:
        if not may and not not_any_more and len(inside) > 1:
            found.append(tuple(sorted(inside)))
        pivot = max(may | not_any_more, key=lambda v: (len(near[v] & may), -v), default=None)
        for v in sorted(may - (near[pivot] if pivot is not None else set())):
            grow(inside | {v}, may & near[v], not_any_more & near[v])
            may, not_any_more = may - {v}, not_any_more | {v}

    grow(set(), set(range(len(alike))), set())
    return tuple(sorted(found))
