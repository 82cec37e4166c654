"""A random forest (Breiman 2001) by LightGBM's forest mode: as :mod:`metaopt.surrogates.lgb`, but trees are averaged.

LightGBM draws cells without replacement where Breiman's forest draws them with replacement, and leaves per tree are
limited by their number; both are hyperparameters here. It is the yardstick that boosting and networks are to pass.
"""

from __future__ import annotations

from typing import Any, ClassVar

from metaopt.surrogates.lgb import LightGBM


class Forest(LightGBM):
    """Deep trees, each on other cells and features; the space ``surrogate_forest`` explains the hyperparameters."""

    name: ClassVar[str] = "forest"
    epochs: ClassVar[int] = 200
    min_epochs: ClassVar[int] = 25

    @property
    def _stops_early(self) -> bool:
        return False  # more trees never make a forest worse

    def _parameters(self) -> dict[str, Any]:
        # Errors are skewed even on the logarithm; absolute ones would need re-fitted leaves, which a forest has not.
        return {**super()._parameters(), "boosting": "rf", "objective": "rmse", "bagging_freq": 1}
