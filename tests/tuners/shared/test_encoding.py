from __future__ import annotations

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Constant, EqualsCondition, Float, OrdinalHyperparameter

from metaopt.testing.tuner_contract import mixed_space
from metaopt.tuners.shared.encoding import one_hot


def test_columns() -> None:
    space = ConfigurationSpace()
    op, rate = Categorical("op", ["a", "b", "c"]), Float("rate", (1e-4, 1.0), log=True)
    space.add(op, OrdinalHyperparameter("width", [8, 16, 32]), rate, Constant("cells", 3))
    space.add(EqualsCondition(rate, op, "b"))
    assert list(space) == ["cells", "op", "width", "rate"]
    configs = [{"cells": 3, "op": "b", "width": 32, "rate": 0.01}, {"cells": 3, "op": "a", "width": 16}]
    assert one_hot(space, configs).tolist() == [
        pytest.approx([0, 1, 0, 1, 1, 0.5, 1]),
        pytest.approx([1, 0, 0, 0.5, 1, 0, 0]),
    ]


def test_no_configuration_has_columns_too() -> None:
    space = mixed_space()
    space.seed(1)
    configs = [dict(config) for config in space.sample_configuration(50)]
    rows = one_hot(space, configs)
    assert rows.shape == (50, 12)
    assert rows.min() == 0
    assert rows.max() == 1
