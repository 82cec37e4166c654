from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metaopt.surrogates.forest import Forest
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.tuning import default_config


def fitted(cells: Measured, epochs: int) -> Forest:
    model = Forest(default_config("forest"), seed=0)
    data = cells.data
    model.fit(data.select(np.arange(120)), data.select(np.arange(120, 160)), epochs=epochs)
    return model


@pytest.mark.parametrize("trees", [1, 30])
def test_all_trees_are_kept(digits_cells: Measured, trees: int, tmp_path: Path) -> None:
    """It is no boosting: nothing stops it, and it does not go back to its best round."""
    fitted(digits_cells, trees).save(tmp_path)
    assert (tmp_path / "trees-0.txt").read_text(encoding="utf-8").count("\nTree=") == trees


def test_trees_are_averaged(digits_cells: Measured) -> None:
    """More trees leave the level of the predictions as it is, and lower their error on other cells."""
    few, many = (fitted(digits_cells, trees).predict(digits_cells.cells) for trees in (1, 100))
    truth = digits_cells.data.errors
    assert many.mean() == pytest.approx(truth.mean(), rel=0.15)
    assert np.abs(many - truth)[120:].mean() < np.abs(few - truth)[120:].mean()
