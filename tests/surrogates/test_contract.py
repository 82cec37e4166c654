"""Every registered surrogate keeps the contract: one line each."""

from __future__ import annotations

from typing import ClassVar

import pytest

from metaopt.surrogates import SURROGATES
from metaopt.testing.surrogate_contract import SurrogateContract


class TestLightGBM(SurrogateContract):
    name = "lgb"


class TestXGBoost(SurrogateContract):
    name = "xgb"


class TestForest(SurrogateContract):
    name = "forest"
    epochs: ClassVar[int] = 50


@pytest.mark.slow
class TestGraphIsomorphismNetwork(SurrogateContract):
    name = "gin"
    epochs: ClassVar[int] = 16


def test_every_surrogate_is_under_contract() -> None:
    assert {contract.name for contract in SurrogateContract.__subclasses__()} >= SURROGATES.keys()
