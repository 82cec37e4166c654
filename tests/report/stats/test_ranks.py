from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from metaopt.report.data.groups import Group
from metaopt.report.stats.ranks import Ranking, cliques, mean_ranks, ranking

GroupOf = Callable[..., Group]
# Demsar (2006), table 6: AUC of C4.5 with four settings on 14 data sets.
DEMSAR = 1 - np.array([
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
])  # fmt: skip


def ranking_of(values: np.ndarray) -> Ranking:
    return ranking([f"g{k}" for k in range(values.shape[1])], values)


def test_the_example_of_demsar() -> None:
    found = ranking_of(DEMSAR)
    assert dict(zip(found.labels, found.ranks.round(3), strict=True)) == {
        "g3": 1.964, "g1": 2.000, "g2": 2.893, "g0": 3.143,
    }  # fmt: skip
    assert found.friedman_p is not None
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*DEMSAR.T).pvalue)
    without_ties = 12 * 14 / (4 * 5) * ((found.ranks**2).sum() - 4 * 5**2 / 4)
    assert without_ties == pytest.approx(9.28, abs=0.01), "as published"
    assert found.friedman_p < stats.chi2.sf(without_ties, 3), "ties make the statistic larger"


def test_what_friedman_does_not_tell_apart_is_one_clique() -> None:
    rng = np.random.default_rng(0)
    found = ranking_of(rng.uniform(size=(12, 4)))
    assert found.friedman_p is not None
    assert found.friedman_p > 0.05
    assert found.cliques == ((0, 1, 2, 3),)


def test_clear_differences_and_ties() -> None:
    apart = ranking_of(np.arange(12)[:, None] / 100 + np.array([0.1, 0.2, 0.3]))
    assert apart.cliques == ()
    assert_allclose(apart.ranks, [1, 2, 3])
    assert apart.corrected[0, 1] == pytest.approx(3 * 2.0**-11)
    tied = ranking_of(np.full((8, 3), 0.1))
    assert (tied.friedman_p, tied.cliques) == (None, ((0, 1, 2),))
    two = ranking_of(np.arange(12)[:, None] / 100 + np.array([0.1, 0.2]))
    assert (two.friedman_p, two.cliques) == (None, ())


def test_groups_between_two_cliques_are_in_both() -> None:
    alike = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)
    assert cliques(alike) == ((0, 1), (1, 2))
    assert cliques(np.eye(3, dtype=bool)) == ()


@given(st.integers(2, 7), st.integers(0, 10**6))
def test_cliques_are_whole_and_cannot_grow(k: int, seed: int) -> None:
    alike = np.random.default_rng(seed).random((k, k)) < 0.6
    alike = alike | alike.T | np.eye(k, dtype=bool)
    found = cliques(alike)
    assert len(set(found)) == len(found)
    for clique in found:
        assert alike[np.ix_(clique, clique)].all()
        assert not any(alike[list(clique), other].all() for other in set(range(k)) - set(clique))
    for i in range(k):
        for j in range(i):
            assert not alike[i, j] or any({i, j} <= set(clique) for clique in found)


@given(st.permutations(range(14)))
def test_the_order_of_blocks_changes_nothing(order: list[int]) -> None:
    found, again = ranking_of(DEMSAR), ranking_of(DEMSAR[order])
    assert found.labels == again.labels
    assert_allclose(found.ranks, again.ranks)
    assert_allclose(found.corrected, again.corrected)


def test_mean_ranks_share_ties() -> None:
    values = np.array([[[0.1, 0.2, 0.2], [0.3, 0.1, 0.2]]])
    assert_allclose(mean_ranks(values), [[2, 1.75, 2.25]])
