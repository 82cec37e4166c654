"""Gradient boosting of decision trees by LightGBM (Ke et al. 2017), one model per target, kept as LightGBM's text."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.core.paths import write_atomically
from metaopt.surrogates.base import Surrogate, extra
from metaopt.surrogates.encoding import Cells

#: Rounds without a better prediction of the other cells that end the boosting (NAS-Bench-301, released code).
PATIENCE = 100


class LightGBM(Surrogate):
    """Trees on the features of a cell; the space ``surrogate_lgb`` explains the hyperparameters."""

    name: ClassVar[str] = "lgb"
    package: ClassVar[str] = "lightgbm"
    epochs: ClassVar[int] = 4000
    min_epochs: ClassVar[int] = 500

    _boosters: list[Any]

    def _fit(self, data: tuple[Cells, Floats], stop: tuple[Cells, Floats], epochs: int) -> None:
        lightgbm = extra("lightgbm")
        parameters = {**self._parameters(), **_REPEATABLE, "seed": self.seed % 2**31, "num_threads": self.threads}
        self._boosters = []
        for column in range(data[1].shape[1]):
            of_training, of_stop = (
                lightgbm.Dataset(cells.features, values[:, column], params={"verbose": -1})
                for cells, values in (data, stop)
            )
            callbacks = [lightgbm.early_stopping(PATIENCE, verbose=False)] if self._stops_early else []
            self._boosters.append(
                lightgbm.train(parameters, of_training, epochs, valid_sets=[of_stop], callbacks=callbacks)
            )

    @property
    def _stops_early(self) -> bool:
        return True

    def _parameters(self) -> dict[str, Any]:
        """Returns what LightGBM calls the hyperparameters."""
        # A leaf's cells are limited by their weight alone, as in NAS-Bench-301.
        return {**self.config, "min_data_in_leaf": 1}

    def _predict(self, cells: Cells) -> Floats:
        return np.stack([b.predict(cells.features, num_threads=self.threads) for b in self._boosters], axis=1)

    def _save(self, folder: Path) -> None:
        for number, booster in enumerate(self._boosters):
            write_atomically(
                folder / f"trees-{number}.txt", booster.model_to_string(num_iteration=booster.best_iteration)
            )

    def _load(self, folder: Path) -> None:
        lightgbm = extra("lightgbm")
        texts = [(folder / f"trees-{n}.txt").read_text(encoding="utf-8") for n in range(self._targets)]
        self._boosters = [lightgbm.Booster(model_str=text) for text in texts]


#: Same trees in every process and for every number of threads, and no words on standard output.
_REPEATABLE = {"deterministic": True, "force_row_wise": True, "verbose": -1}
