from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy import stats

from metaopt.ranking.ranking import Agreement, best_rank, kendall_a, kendall_b, precision, spearman


def drawn(n: int, levels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two correlated series with many ties."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = x + rng.normal(size=n)
    return np.round(x * levels), np.round(y * levels)


def test_spearman_is_scipys() -> None:
    for levels in (0.5, 3, 1000):
        x, y = drawn(200, levels)
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_kendall_a_by_hand() -> None:
    """Pairs: (1,2) tied in x, (1,3) and (1,4) and (2,3) concordant, (2,4) tied in y, (3,4) discordant."""
    x, y = [1, 1, 2, 3], [1, 2, 3, 2]
    assert kendall_a(x, y) == pytest.approx((3 - 1) / 6)
    assert kendall_b(x, y) == pytest.approx((3 - 1) / math.sqrt(5 * 5))


def test_kendall_a_counts_pairs() -> None:
    x, y = drawn(60, 1)
    pairs = itertools.combinations(range(len(x)), 2)
    agreeing = sum(float(np.sign((x[i] - x[j]) * (y[i] - y[j]))) for i, j in pairs)
    assert kendall_a(x, y) == agreeing / (60 * 59 / 2)


def test_without_ties_both_kendalls_are_scipys() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 3000))
    assert kendall_a(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    assert kendall_b(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


def test_ties_pull_only_kendall_a_towards_zero() -> None:
    x, y = [0, 0, 1, 1], [0, 1, 2, 3]
    assert kendall_a(x, y) == pytest.approx(4 / 6)
    assert kendall_b(x, y) == pytest.approx(4 / math.sqrt(4 * 6))


def test_infinite_scores_are_the_worst() -> None:
    assert kendall_a([1, math.inf, math.inf], [1, 2, 3]) == pytest.approx(2 / 3)
    assert spearman([1, math.inf], [1, 2]) == pytest.approx(1)
    assert kendall_b([1, 2, math.inf], [1, 2, 3]) == pytest.approx(1)


def test_scores_that_are_all_equal() -> None:
    assert math.isnan(spearman([1, 1, 1], [1, 2, 3]))
    assert math.isnan(kendall_b([1, 1, 1], [1, 2, 3]))
    assert kendall_a([1, 1, 1], [1, 2, 3]) == 0


def test_precision() -> None:
    truth = np.arange(10.0)
    assert precision(truth, truth, 3) == 1
    assert precision(-truth, truth, 3) == 0
    assert precision([0, 9, 1, 9, 2, 9, 9, 9, 9, 9], truth, 3) == pytest.approx(2 / 3)


def test_precision_with_equal_scores_is_its_expectation() -> None:
    truth = np.arange(10.0)
    assert precision(np.zeros(10), truth, 2) == pytest.approx(0.2), "a guess finds its share"
    score = np.array([0, 1, 1, 2, 2, 2, 2, 2, 2, 2.0])  # cell 0 for certain, cell 1 or 2 by chance
    assert precision(score, truth, 2) == pytest.approx((1 + 0.5) / 2)
    assert precision(truth, np.where(truth < 4, 0, 1), 2) == pytest.approx(0.5)


def test_best_rank() -> None:
    truth = np.array([3.0, 1.0, 2.0, 2.0, 5.0])
    assert best_rank([0, 4, 1, 2, 3], truth, 1) == 4
    assert best_rank([0, 4, 1, 2, 3], truth, 2) == 2
    assert best_rank(truth, truth, 1) == 1


def test_a_perfect_ranking() -> None:
    truth = np.linspace(0.1, 0.5, 1000)
    found = Agreement.of(truth * 2, np.stack([truth, truth], axis=1))
    assert (found.spearman, found.kendall_a, found.kendall_b) == pytest.approx((1, 1, 1))
    assert found.spearman_points == pytest.approx(1)
    assert found.series_kendall == 1
    assert [top.cells for top in found.top] == [10, 25, 50, 150, 250, 500]
    assert found.top[0].mean_score == pytest.approx(2 * truth[:10].mean())
    assert set(found.precision.values()) == {1.0}
    assert set(found.best_rank.values()) == {1}


def test_a_reversed_ranking() -> None:
    truth = np.linspace(0.1, 0.5, 1000)[:, None]
    found = Agreement.of(-truth[:, 0], truth)
    assert (found.spearman, found.kendall_a, found.series_kendall) == pytest.approx((-1, -1, -1))
    assert found.precision == {1: 0.0, 5: 0.0, 10: 0.0}
    assert found.best_rank == {1: 991, 5: 951, 10: 901}


def test_the_best_cells_may_be_ranked_worse_than_all() -> None:
    """Scores that know bad cells from good ones, and nothing among the good."""
    truth = np.arange(1000.0)
    score = np.where(truth < 500, -truth, truth)
    found = Agreement.of(score, truth[:, None])
    assert found.kendall_a > 0.4
    assert {top.kendall_a for top in found.top} == {-1.0}
    assert found.series_kendall == -1


def test_every_repeat_is_a_point() -> None:
    score, truth = drawn(500, 5)
    truths = truth[:, None] + np.random.default_rng(2).normal(size=(500, 3))
    found = Agreement.of(score, truths)
    points, repeats = np.repeat(score, 3), truths.ravel()
    assert found.spearman_points == pytest.approx(stats.spearmanr(points, repeats).statistic)
    lowest = np.argsort(points, kind="stable")[:1000]
    assert found.spearman_top_points == pytest.approx(stats.spearmanr(points[lowest], repeats[lowest]).statistic)
    assert found.spearman == pytest.approx(stats.spearmanr(score, truths.mean(axis=1)).statistic)


def test_equal_means_are_ties() -> None:
    """(0.1 + 0.2 + 0.3) / 3 is not 0.2 in floating point."""
    found = Agreement.of([1.0, 2.0], np.array([[0.1, 0.2, 0.3], [0.2, 0.2, 0.2]], np.float32))
    assert found.kendall_a == 0


def test_few_cells() -> None:
    found = Agreement.of([1.0], [[2.0]])
    assert math.isnan(found.spearman)
    assert math.isnan(found.kendall_a)
    assert found.top == ()
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["spearman"] is None


def test_what_cannot_be_ranked_is_refused() -> None:
    for score, truth in (([1.0, 2.0], [[1.0]]), ([], np.empty((0, 3))), ([1.0], [1.0])):
        with pytest.raises(ValueError, match="need scores"):
            Agreement.of(score, truth)
    with pytest.raises(ValueError, match="not a number"):
        Agreement.of([math.nan], [[1.0]])
