from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.testing import assert_allclose
from sklearn.ensemble import RandomForestRegressor

from metaopt.report.stats.importance import forest_pair_shares, forest_shares, importance


def grid_forest(function: Callable[[np.ndarray], np.ndarray], n: int = 40) -> np.ndarray:
    """Shares of one full tree grown on a regular grid of [0, 1]^2."""
    axis = (np.arange(n) + 0.5) / n
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    forest = RandomForestRegressor(1, bootstrap=False, random_state=0).fit(x, function(x))
    return forest_shares(forest, 2)


def test_shares_of_an_additive_function_are_its_variances() -> None:
    # Var(3 x) : Var(y) = 9 : 1 for uniform x and y.
    assert_allclose(grid_forest(lambda x: 3 * x[:, 0] + x[:, 1]), [0.9, 0.1], atol=0.002)


def test_a_pure_interaction_belongs_to_no_single_input() -> None:
    assert_allclose(grid_forest(lambda x: (x[:, 0] - 0.5) * (x[:, 1] - 0.5)), [0.0, 0.0], atol=1e-3)


def test_pairs_explain_what_their_members_do_not() -> None:
    axis = (np.arange(24) + 0.5) / 24
    x = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    y = x[:, 0] * x[:, 1] + x[:, 2] / 2  # in 144ths: 3 for each alone, 1 for the product beyond its members
    forest = RandomForestRegressor(1, bootstrap=False, random_state=0).fit(x, y)
    pairs = forest_pair_shares(forest, 3)
    assert_allclose(pairs, pairs.T)
    assert_allclose([pairs[0, 1], pairs[0, 2], pairs[1, 2]], [0.1, 0, 0], atol=0.003)
    assert_allclose(forest_shares(forest, 3), [0.3, 0.3, 0.3], atol=0.003)


def test_a_constant_has_no_shares() -> None:
    assert_allclose(grid_forest(lambda x: 0.0 * x[:, 0]), [0.0, 0.0])


def test_arrays_are_enough_and_a_poor_fit_is_not_trusted() -> None:
    x = np.random.default_rng(0).uniform(size=(60, 2))
    found = importance(x, x[:, 0], ("a", "b"))
    assert found.is_trusted
    assert found.mean[0] > 0.9 > 0.1 > found.mean[1]
    noise = importance(x, np.random.default_rng(1).uniform(size=60), ("a", "b"))
    assert (noise.names, noise.is_trusted) == (("a", "b"), False)
    assert not importance(x[:3], x[:3, 0], ("a", "b")).is_trusted
