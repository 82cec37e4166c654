from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metaopt.cells.space import CELL_SPACES, CellSpace
from metaopt.core.errors import TableError
from metaopt.surrogates.encoding import Cells
from metaopt.surrogates.ensemble import Fitting
from metaopt.surrogates.fitting import fit_all, judge, predict_space
from metaopt.surrogates.measured import Measured, split
from metaopt.surrogates.tuning import default_config
from metaopt.tables.predictions import Predictions


def test_models_are_judged_on_cells_they_have_not_seen(
    digits_cells: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = {name: default_config(name) for name in ("forest", "lgb")}
    fitted = fit_all(digits_cells, configs, Fitting(members=2, seed=0), tmp_path)
    assert fitted.training_cells == 144
    assert set(fitted.metrics) == {"forest", "lgb", "all"}
    held_out = digits_cells.select(split(160, 0)[1])
    each = [ensemble.predict_each(held_out.cells) for ensemble in fitted.ensembles.values()]
    expected = np.abs(np.concatenate(each).mean(axis=0) - held_out.data.errors).mean(axis=0)
    assert fitted.metrics["all"]["valid_error"]["mae"] == pytest.approx(expected[0], abs=1e-6)
    assert fitted.metrics["all"]["test_error"]["mae"] == pytest.approx(expected[1], abs=1e-6)
    assert fitted.metrics["all"]["noise"]["kl_cells"] > 0

    monkeypatch.setitem(CELL_SPACES, 1, CellSpace("tiny", (1, 1, 2)))
    path = tmp_path / "tiny-1.surrogate.parquet"
    ensembles = list(fitted.ensembles.values())
    of_all = predict_space({4: ensembles[:1], 8: ensembles}, 1, path, {"command": "here"})
    predictions = Predictions(path)
    graphs = CELL_SPACES[1].distinct_graphs()
    assert [h.decode() for h in predictions.hashes] == sorted(graphs)
    first = next(iter(graphs.values()))
    kept = 5.1e-6  # five decimals
    assert predictions.query(first).valid_error == pytest.approx(of_all.mean[0, 0], abs=kept)
    assert predictions.query(first).test_error_std == pytest.approx(of_all.std[0, 1], abs=kept)
    earlier = ensembles[0].predict_each(Cells([first]))
    assert predictions.after == {4}
    assert predictions.query(first, 4).valid_error == pytest.approx(earlier[:, 0, 0].mean(), abs=kept)
    assert predictions.query(first, 4).test_error_std == pytest.approx(earlier[:, 0, 1].std(), abs=kept)
    assert predictions.provenance == {"command": "here"}


def test_held_out_cells_of_other_spaces_are_not_judged(digits_cells: Measured, tmp_path: Path) -> None:
    held_out = split(160, 0)[1]
    in_space = np.zeros(160, dtype=bool)
    in_space[held_out[:9]] = True
    cells = replace(digits_cells, in_space=in_space)
    config = {"forest": default_config("forest")}
    fitted = fit_all(cells, config, Fitting(members=2, seed=0), tmp_path)
    judged = digits_cells.select(held_out[:9])
    expected = fitted.ensembles["forest"].predict_each(judged.cells).mean(axis=0) - judged.data.errors
    assert fitted.metrics["forest"]["valid_error"]["mae"] == pytest.approx(np.abs(expected[:, 0]).mean(), abs=1e-6)
    assert "all" not in fitted.metrics
    with pytest.raises(TableError, match="none of the 16 held-out cells is in the cell space"):
        fit_all(replace(digits_cells, in_space=np.zeros(160, dtype=bool)), config, Fitting(2, 0), tmp_path)


def test_cells_with_more_trainings_than_others_are_judged_by_their_means(digits_cells: Measured) -> None:
    valid, test = digits_cells.valid_error.copy(), digits_cells.test_error.copy()
    valid[10:, 1:] = test[10:, 1:] = np.nan
    uneven = replace(digits_cells, valid_error=valid, test_error=test)
    metrics = judge(uneven, {"one": uneven.data.errors[None]})["one"]
    assert "noise" not in metrics
    assert metrics["valid_error"]["mae"] == metrics["test_error"]["mae"] == 0
    assert "noise" in judge(uneven.select(np.arange(10)), {"one": uneven.data.errors[None, :10]})["one"]


def test_a_handful_of_cells_is_refused(digits_cells: Measured, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="needs at least 30 cells, the table has 20"):
        fit_all(digits_cells.select(np.arange(20)), {}, Fitting(2, 0), tmp_path)
