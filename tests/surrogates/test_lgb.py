from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from metaopt.core.errors import ConfigError
from metaopt.surrogates.lgb import LightGBM
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.tuning import default_config


def fitted(cells: Measured, *, threads: int = 1, epochs: int | None = None) -> LightGBM:
    model = LightGBM(default_config("lgb"), seed=0, threads=threads)
    data = cells.data
    model.fit(data.select(np.arange(120)), data.select(np.arange(120, 160)), epochs=epochs)
    return model


def trees(model: LightGBM, folder: Path) -> int:
    model.save(folder)
    return (folder / "trees-0.txt").read_text(encoding="utf-8").count("\nTree=")


def test_boosting_ends_where_other_cells_are_predicted_best(digits_cells: Measured, tmp_path: Path) -> None:
    assert 1 < trees(fitted(digits_cells), tmp_path / "long") < LightGBM.epochs
    assert trees(fitted(digits_cells, epochs=5), tmp_path / "short") <= 5


def test_threads_change_nothing(digits_cells: Measured) -> None:
    one, two = (fitted(digits_cells, threads=threads, epochs=50) for threads in (1, 2))
    assert np.array_equal(one.predict(digits_cells.cells), two.predict(digits_cells.cells))


def test_a_missing_package_is_explained(digits_cells: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    for needs_it in (LightGBM.check_installed, lambda: fitted(digits_cells)):
        with pytest.raises(ConfigError, match="needs the package lightgbm") as caught:
            needs_it()
        assert "install metaopt with its extra surrogates" in caught.value.hint


def test_nothing_is_printed(digits_cells: Measured, capfd: pytest.CaptureFixture[str]) -> None:
    fitted(digits_cells, epochs=20)
    assert capfd.readouterr() == ("", "")
