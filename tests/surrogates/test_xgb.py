from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from metaopt.surrogates.measured import Measured
from metaopt.surrogates.tuning import default_config
from metaopt.surrogates.xgb import XGBoost


def fitted(cells: Measured, config: dict[str, object] | None = None, *, threads: int = 1) -> XGBoost:
    model = XGBoost({**default_config("xgb"), **(config or {})}, seed=0, threads=threads)
    data = cells.data
    model.fit(data.select(np.arange(120)), data.select(np.arange(120, 160)), epochs=300)
    return model


@pytest.mark.parametrize("config", [{"alpha": 0.1}, {"alpha": 0.3}, {"alpha": 1.0}, {"objective": "rmse"}])
def test_every_loss_learns(digits_cells: Measured, config: dict[str, object]) -> None:
    """Under XGBoost's own pseudo-Huber loss all cells would be predicted alike."""
    predicted = fitted(digits_cells, config).predict(digits_cells.cells)
    truth = digits_cells.data.errors
    assert np.abs(predicted - truth).mean() < 0.6 * np.abs(np.median(truth, axis=0) - truth).mean()


def test_only_the_rounds_up_to_the_best_are_kept(digits_cells: Measured, tmp_path: Path) -> None:
    model = fitted(digits_cells)
    model.save(tmp_path)
    kept = json.loads((tmp_path / "trees-0.json").read_text(encoding="utf-8"))
    trees = len(kept["learner"]["gradient_booster"]["model"]["trees"])
    assert 1 < trees < 300


def test_threads_change_nothing(digits_cells: Measured) -> None:
    one, two = (fitted(digits_cells, threads=threads) for threads in (1, 2))
    assert np.array_equal(one.predict(digits_cells.cells), two.predict(digits_cells.cells))
