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
from metaopt.report.data.clocks import View, regrets
from metaopt.report.stats.pairwise import ALPHA, holm, signed_rank, smallest_signed_rank

#: Fewest blocks that are ranked: below them no signed-rank test can give a p below 5 %.
FEWEST_BLOCKS = next(n for n in range(1, 100) if smallest_signed_rank(n) < ALPHA)
#: Places of the figure of ranks over the budget.
SHARES = np.unique(np.round(np.concatenate([np.geomspace(0.01, 1, 60), np.linspace(0.05, 1, 40)]), 4))


@dataclass(frozen=True)
class Blocks:
    """Test regrets of groups in blocks.

    Attributes:
        labels: Of the k groups.
        names: Of the n blocks: problem and seed.
        shares: (m,) shares of each problem's common budget.
        values: (m, n, k) test regrets, infinite where a run has no cell yet.
        clocks: What the budget of each problem is measured in.
        left_out: Groups that not every problem has.
        budgets: Common budget of each problem.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    shares: Floats
    values: Floats
    clocks: tuple[str, ...]
    left_out: tuple[str, ...]
    budgets: tuple[float, ...]


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


def blocks(views: Sequence[tuple[str, View]]) -> Blocks | None:
    """Returns the blocks of several problems: the seeds of each that all groups have.

    Args:
        views: Problem and the view that its groups are compared on.

    Returns:
        None if fewer than two groups are in every problem, or if there are fewer blocks than a test needs.
    """
    every = list(dict.fromkeys(one.label for _, view in views for one in view.contestants))
    labels = tuple(name for name in every if all(_has(view, name) for _, view in views))
    if len(labels) < 2:
        return None
    names, values = [], []
    for problem, view in views:
        members = [one for one in view.contestants if one.label in labels]
        curves = {one.label: regrets(one, view.clock, SHARES * view.budget) for one in members}
        places = {one.label: {seed: place for place, seed in enumerate(one.seeds)} for one in members}
        for seed in sorted(set.intersection(*(set(found) for found in places.values()))):
            names.append(f"{problem}, seed {seed}")
            values.append([curves[label][places[label][seed]] for label in labels])
    if len(names) < FEWEST_BLOCKS:
        return None
    array = np.moveaxis(np.array(values), 2, 0)
    return Blocks(
        labels=labels,
        names=tuple(names),
        shares=SHARES,
        values=np.where(np.isnan(array), np.inf, array),
        clocks=tuple(dict.fromkeys(view.clock.label for _, view in views)),
        left_out=tuple(name for name in every if name not in labels),
        budgets=tuple(view.budget for _, view in views),
    )


def _has(view: View, label: str) -> bool:
    return any(one.label == label for one in view.contestants)


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


def mean_ranks(found: Blocks) -> Floats:
    """Returns the average rank of each group at each share of the budget, (m, k); equal values share their ranks."""
    return np.asarray(stats.rankdata(found.values, axis=2).mean(axis=1))


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
