from __future__ import annotations

import math

import numpy as np
import pytest

from metaopt.surrogates.metrics import gaussian_kl, noise_quality, quality

TRUTH = np.array([0.1, 0.2, 0.3, 0.4])


def test_perfect_predictions() -> None:
    assert quality(TRUTH, TRUTH) == {
        "r2": 1.0, "spearman": 1.0, "kendall": 1.0, "sparse_kendall": 1.0, "mae": 0.0, "median_ae": 0.0,
    }  # fmt: skip


def test_known_values() -> None:
    found = quality(TRUTH, np.array([0.2, 0.1, 0.3, 0.4]))
    assert found["r2"] == pytest.approx(1 - 0.02 / 0.05)
    assert found["spearman"] == pytest.approx(0.8)
    assert found["kendall"] == pytest.approx(4 / 6)
    assert found["mae"] == pytest.approx(0.05)


def test_the_sparse_tau_does_not_see_differences_below_a_tenth_of_a_percent() -> None:
    """Two cells that are predicted 0.01 % apart the wrong way round are a mistake to tau, a tie to the sparse one."""
    predicted = np.array([0.2501, 0.25, 0.3, 0.4])
    found = quality(TRUTH, predicted)
    assert found["kendall"] == pytest.approx(4 / 6)
    assert found["sparse_kendall"] == pytest.approx(5 / math.sqrt(6 * 5))


def test_what_is_not_defined_is_none() -> None:
    found = quality(TRUTH, np.full(4, 0.25))
    assert (found["spearman"], found["kendall"], found["sparse_kendall"]) == (None, None, None)
    assert found["r2"] == 0
    assert quality(np.full(4, 0.1), TRUTH)["r2"] is None


def test_divergence() -> None:
    one = np.ones(1)
    assert gaussian_kl(0 * one, one, 0 * one, one) == pytest.approx(0)
    assert gaussian_kl(0 * one, one, 2 * one, one) == pytest.approx(2)
    assert gaussian_kl(0 * one, one, 0 * one, 2 * one) == pytest.approx(math.log(2) + 1 / 8 - 1 / 2)


def test_noise_of_known_cells() -> None:
    repeats = np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5]])
    found = noise_quality(repeats, np.array([0.2, 0.4]), np.array([0.1, 0.1]))
    assert found["mae_table"] == pytest.approx((0.15 + 0 + 0.15) / 6)
    assert found["mae_surrogate"] == pytest.approx((0.05 + 0 + 0.05 + 3 * 0.1) / 6, abs=1e-6)
    assert found["mae_single"] == pytest.approx((0.1 + 0 + 0.1 + 3 * 0.1) / 6, abs=1e-6)
    assert found["sigma_table"] == pytest.approx(math.sqrt(2 / 3) / 20, abs=1e-6)
    assert found["sigma_surrogate"] == pytest.approx(0.1)
    assert found["kl_cells"] == 1
    true_std = math.sqrt(2 / 3) / 10
    assert found["kl"] == pytest.approx(math.log(0.1 / true_std) + true_std**2 / 0.02 - 0.5, abs=1e-6)


def test_repeats_of_independent_noise_are_worse_than_their_mean() -> None:
    """A prediction that is the truth is nearer to the mean of two trainings than a third training is."""
    truth = np.random.default_rng(0).uniform(0.1, 0.3, 2000)
    repeats = truth[:, None] + np.random.default_rng(1).normal(0, 0.01, (2000, 3))
    found = noise_quality(repeats, truth, np.full(2000, 0.01))
    assert found["mae_surrogate"] / found["mae_table"] == pytest.approx(math.sqrt(0.5 / 1.5), rel=0.05)
