from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metaopt.core.errors import ConfigError
from metaopt.surrogates.base import Data
from metaopt.surrogates.ensemble import Ensemble, Fitting, fit_ensemble, fold_of, load_ensemble, out_of_fold, spread
from metaopt.surrogates.lgb import LightGBM
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.tuning import default_config


def test_folds_are_even_and_fixed() -> None:
    fold = fold_of(23, 5, 0)
    assert sorted(np.bincount(fold)) == [4, 4, 5, 5, 5]
    assert np.array_equal(fold, fold_of(23, 5, 0))
    assert not np.array_equal(fold, fold_of(23, 5, 1))


def test_members_differ_in_seed_and_fold_and_are_kept(
    digits_cells: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, done = digits_cells.data, list[int]()
    how = Fitting(members=2, seed=0, folds=4, fitted=lambda: done.append(1))
    first = fit_ensemble("lgb", default_config("lgb"), data, how, tmp_path)
    assert len(done) == 2
    assert len({member.seed for member in first.members}) == 2
    assert not set(first.stops[0]) & set(first.stops[1])
    each = first.predict_each(data.cells)
    assert each.shape == (2, 160, 2)
    assert not np.array_equal(each[0], each[1])
    assert np.array_equal(each, np.stack([member.predict(data.cells) for member in load_ensemble(tmp_path)]))

    fits = list[int]()
    fit = LightGBM.fit
    monkeypatch.setattr(LightGBM, "fit", lambda self, *args, **kwargs: (fits.append(1), fit(self, *args, **kwargs)))
    assert np.array_equal(
        fit_ensemble("lgb", default_config("lgb"), data, how, tmp_path).predict_each(data.cells), each
    )
    assert fits == []
    other = Data(data.cells, data.errors[::-1].copy())
    assert not np.array_equal(
        fit_ensemble("lgb", default_config("lgb"), other, how, tmp_path).predict_each(data.cells), each
    )
    assert fits == [1, 1]


def test_mean_and_population_deviation() -> None:
    found = spread([np.array([[[0.1]], [[0.2]]]), np.array([[[0.3]], [[0.4]]])])
    assert found.mean[0, 0] == pytest.approx(0.25)
    assert found.std[0, 0] == pytest.approx(np.std([0.1, 0.2, 0.3, 0.4]))


def test_out_of_fold_asks_only_members_that_have_not_seen_the_cell() -> None:
    ensemble = Ensemble([], [np.array([0, 1]), np.array([1, 2])])
    predictions = np.array([[[1.0], [2.0], [3.0], [4.0]], [[10.0], [20.0], [30.0], [40.0]]])
    found = out_of_fold(ensemble, predictions)[:, 0]
    assert found[:3].tolist() == [1.0, 11.0, 30.0]
    assert np.isnan(found[3])


def test_unknown_models_are_named(digits_cells: Measured, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown surrogate 'lbg'; did you mean 'lgb'"):
        fit_ensemble("lbg", {}, digits_cells.data, Fitting(members=2, seed=0), tmp_path)
