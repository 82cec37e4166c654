from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import RandomForestRegressor

from metaopt.report.data.load import load_run
from metaopt.report.stats.importance import EPOCHS, forest_pair_shares, forest_shares, importance


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


def test_several_runs_are_taken_together(make_run: Callable[..., Path]) -> None:
    runs = [load_run(make_run(n=30, seed=seed)) for seed in (0, 1)]
    found = importance(*runs)
    assert found.n_trials == sum(len(run.ok) for run in runs)
    assert importance(runs[0]).pairs == {}
    assert len(found.pairs) == len(found.names) * (len(found.names) - 1) // 2
    assert sum(found.mean) + sum(found.pairs.values()) <= 1 + 1e-9


def test_a_constant_has_no_shares() -> None:
    assert_allclose(grid_forest(lambda x: 0.0 * x[:, 0]), [0.0, 0.0])


def test_the_hyperparameter_that_matters_is_found(make_run: Callable[..., Path]) -> None:
    found = importance(load_run(make_run(n=60)))
    shares = dict(zip(found.names, found.mean, strict=True))
    assert found.names[-1] == EPOCHS
    assert max((name for name in shares if name != EPOCHS), key=shares.__getitem__) == "learning_rate"
    assert shares["learning_rate"] > 5 * shares["schedule"]
    assert sum(found.mean) <= 1
    assert all(0 <= s < 0.1 for s in found.std)
    assert found.fit > 0.3


def test_it_is_the_same_every_time(make_run: Callable[..., Path]) -> None:
    run = load_run(make_run(n=25))
    assert importance(run) == importance(run)


def test_too_few_trials_give_none(make_run: Callable[..., Path]) -> None:
    found = importance(load_run(make_run(n=10)))
    assert (found.names, found.n_trials, found.n_needed) == ((), 10, 14)


def test_a_constant_is_no_input(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    space = {
        "hyperparameters": [
            {"type": "constant", "name": "fixed", "value": 3},
            {"type": "uniform_float", "name": "x", "lower": 0, "upper": 1, "default_value": 0.5},
        ]
    }
    answers = [answer(i, 0.1 + i / 40, config={"fixed": 3, "x": i / 12}) for i in range(12)]
    found = importance(load_run(write_run(answers, space=space)))
    assert found.names == ("x",)
    assert found.mean[0] == pytest.approx(1.0)
