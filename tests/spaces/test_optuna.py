from __future__ import annotations

import pytest
from ConfigSpace import Categorical, Constant, Float, Integer, OrdinalHyperparameter
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from metaopt.spaces.optuna import distribution


@pytest.mark.parametrize(
    ("hyperparameter", "expected"),
    [
        (Float("x", (1e-3, 1e-1), log=True), FloatDistribution(1e-3, 1e-1, log=True)),
        (Float("x", (0.0, 1.0)), FloatDistribution(0.0, 1.0)),
        (Integer("x", (16, 128), log=True), IntDistribution(16, 128, log=True)),
        (Categorical("x", [False, True]), CategoricalDistribution([False, True])),
        (Categorical("x", ["a", "b"]), CategoricalDistribution(["a", "b"])),
        (OrdinalHyperparameter("x", [1, 2, 4]), CategoricalDistribution([1, 2, 4])),
        (Constant("x", 3), CategoricalDistribution([3])),
    ],
)
def test_the_same_values_are_legal(hyperparameter: object, expected: object) -> None:
    found = distribution(hyperparameter)  # type: ignore[arg-type]
    assert found == expected
    if isinstance(found, CategoricalDistribution):
        assert {type(choice) for choice in found.choices} <= {bool, int, str}, "not NumPy's"
