"""Gradient boosting of decision trees by XGBoost (Chen & Guestrin 2016), one model per target, kept as its own JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from metaopt.core.arrays import Floats
from metaopt.core.paths import write_atomically
from metaopt.surrogates.base import Surrogate, extra
from metaopt.surrogates.encoding import Cells
from metaopt.surrogates.lgb import PATIENCE


class XGBoost(Surrogate):
    """Trees on the features of a cell; the space ``surrogate_xgb`` explains the hyperparameters."""

    name: ClassVar[str] = "xgb"
    package: ClassVar[str] = "xgboost"
    epochs: ClassVar[int] = 4000
    min_epochs: ClassVar[int] = 500

    _boosters: list[Any]

    def _fit(self, data: tuple[Cells, Floats], stop: tuple[Cells, Floats], epochs: int) -> None:
        self._boosters = []
        for column in range(data[1].shape[1]):
            of_training, of_stop = (self._matrix(cells, values[:, column]) for cells, values in (data, stop))
            # XGBoost's own start is the mean, which a few cells whose training failed move away from all others.
            start = float(np.median(data[1][:, column]))
            booster = extra("xgboost").train(
                {**self._parameters(), "base_score": start},
                of_training,
                epochs,
                evals=[(of_stop, "stop")],
                obj=_huber(self.config["alpha"]) if self.config["objective"] == "huber" else None,
                early_stopping_rounds=PATIENCE,
                verbose_eval=False,
            )
            self._boosters.append(booster[: booster.best_iteration + 1])

    def _matrix(self, cells: Cells, values: Floats | None = None) -> Any:
        return extra("xgboost").DMatrix(cells.features, values, nthread=self.threads)

    def _parameters(self) -> dict[str, Any]:
        """Returns what XGBoost calls the hyperparameters."""
        own = {name: value for name, value in self.config.items() if name not in ("alpha", "objective")}
        huber = self.config["objective"] == "huber"
        return {
            **own,
            "objective": "reg:squarederror",
            "eval_metric": "mae" if huber else "rmse",
            "tree_method": "hist",
            "seed": self.seed % 2**31,
            "nthread": self.threads,
            "verbosity": 0,
        }

    def _predict(self, cells: Cells) -> Floats:
        matrix = self._matrix(cells)
        return np.stack([booster.predict(matrix) for booster in self._boosters], axis=1).astype(float)

    def _save(self, folder: Path) -> None:
        for number, booster in enumerate(self._boosters):
            write_atomically(folder / f"trees-{number}.json", bytes(booster.save_raw("json")))

    def _load(self, folder: Path) -> None:
        xgboost = extra("xgboost")
        self._boosters = []
        for number in range(self._targets):
            booster = xgboost.Booster({"nthread": self.threads})
            booster.load_model(folder / f"trees-{number}.json")
            self._boosters.append(booster)


def _huber(alpha: float) -> Callable[[NDArray[np.float32], Any], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Returns gradient and curvature of Huber's loss, as LightGBM has them: squares up to ``alpha``, then absolute.

    XGBoost's own pseudo-Huber loss is all but flat for differences well above ``alpha``: no leaf has the weight to
    be split, and all cells are predicted alike.
    """

    def objective(predicted: NDArray[np.float32], matrix: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        difference = predicted - matrix.get_label()
        return np.clip(difference, -alpha, alpha), np.ones_like(difference)

    return objective
