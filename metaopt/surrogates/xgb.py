"""Gradient boosting of decision trees by XGBoost (Chen & Guestrin 2016), one model per target, kept as its own JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from metaopt.paths import write_atomically
from metaopt.surrogates.base import Floats, Surrogate, extra
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
        xgboost = extra("xgboost")
        parameters = {**self.config, "tree_method": "hist", "seed": self.seed % 2**31, "nthread": self.threads}
        parameters["verbosity"] = 0
        self._boosters = []
        for column in range(data[1].shape[1]):
            matrices = [
                xgboost.DMatrix(cells.features, values[:, column], nthread=self.threads)
                for cells, values in (data, stop)
            ]
            # XGBoost's own start, a Newton step of the Huber loss, overshoots by orders of magnitude.
            start = float(np.median(data[1][:, column]))
            booster = xgboost.train(
                {**parameters, "base_score": start},
                matrices[0],
                epochs,
                evals=[(matrices[1], "stop")],
                early_stopping_rounds=PATIENCE,
                verbose_eval=False,
            )
            self._boosters.append(booster[: booster.best_iteration + 1])

    def _predict(self, cells: Cells) -> Floats:
        matrix = extra("xgboost").DMatrix(cells.features, nthread=self.threads)
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
