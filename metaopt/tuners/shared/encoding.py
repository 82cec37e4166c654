"""Configurations as rows of numbers, for models of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    NumericalHyperparameter,
    OrdinalHyperparameter,
)
from numpy.typing import NDArray

from metaopt.core.trial import Value
from metaopt.tuners.shared.neighbors import Config


def one_hot(space: ConfigurationSpace, configs: Sequence[Config]) -> NDArray[np.float64]:
    """Returns one row per configuration, all in [0, 1].

    A categorical hyperparameter has one column per choice; a number its place on its own scale, an ordinal one its
    place in its sequence, and both a column that says that they are active. Of what is inactive all columns are 0.

    Args:
        space: What the configurations belong to.
        configs: N of them.
    """
    rows = [[x for name, h in space.items() for x in _columns(h, config.get(name))] for config in configs]
    return np.array(rows, dtype=np.float64).reshape(len(configs), -1)


def _columns(hyperparameter: Hyperparameter[Any, Any], value: Value | None) -> Iterator[float]:
    match hyperparameter:
        case CategoricalHyperparameter():
            yield from (float(choice == value) for choice in hyperparameter.choices)
        case OrdinalHyperparameter() | NumericalHyperparameter():
            last = len(hyperparameter.sequence) - 1 if isinstance(hyperparameter, OrdinalHyperparameter) else 1
            yield 0.0 if value is None else float(hyperparameter.to_vector(value)) / max(last, 1)
            yield float(value is not None)
