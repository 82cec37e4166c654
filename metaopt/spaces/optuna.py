"""Hyperparameters as Optuna states them, for the tuners that use it and for runs that it is to open."""

from __future__ import annotations

from typing import Any

from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    FloatHyperparameter,
    Hyperparameter,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from metaopt.core.errors import ConfigError
from metaopt.spaces.space import plain


def distribution(hyperparameter: Hyperparameter[Any, Any]) -> BaseDistribution:
    """Returns the distribution with the same legal values; priors, weights and the order of ordinals are not kept.

    Raises:
        ConfigError: if Optuna has none.
    """
    match hyperparameter:
        case FloatHyperparameter(lower=lower, upper=upper):
            return FloatDistribution(float(lower), float(upper), log=bool(getattr(hyperparameter, "log", False)))
        case IntegerHyperparameter(lower=lower, upper=upper):
            return IntDistribution(int(lower), int(upper), log=bool(getattr(hyperparameter, "log", False)))
        case CategoricalHyperparameter(choices=values) | OrdinalHyperparameter(sequence=values):
            return CategoricalDistribution([*plain({str(i): value for i, value in enumerate(values)}).values()])
        case Constant(value=value):
            return CategoricalDistribution([value])
    raise ConfigError(
        f"Optuna has nothing like the hyperparameter {hyperparameter.name}, a {type(hyperparameter).__name__}",
        "write it as a float, an integer, a category or an ordinal",
    )
