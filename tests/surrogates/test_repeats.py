from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metaopt.surrogates.ensemble import Fitting
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.repeats import compare_repeats
from metaopt.surrogates.tuning import default_config


def test_a_surrogate_of_noisy_trainings_is_nearer_to_the_truth(digits_cells: Measured, tmp_path: Path) -> None:
    """Real errors get noise that no model can learn; the table's error grows by it, the surrogate's less."""
    noise = np.random.default_rng(0).normal(0, 0.6, digits_cells.valid_error.shape)
    noisy = np.clip(digits_cells.valid_error * np.exp(noise), 0.001, 0.49)
    noisy[0, 1] = 0.9
    cells = replace(digits_cells, valid_error=noisy)
    configs = {"forest": default_config("forest")}
    found = compare_repeats(cells, configs, Fitting(members=2, seed=0, folds=2), tmp_path)
    assert (found["cells"], found["dropped"]) == (159, 1)
    assert len(found["repeats"]) == 3
    kept = noisy[1:]
    assert found["repeats"][0]["table"] == pytest.approx(np.abs(kept[:, 0] - kept[:, 1:].mean(axis=1)).mean(), abs=1e-6)
    for repeat in found["repeats"]:
        assert repeat["forest"] < repeat["table"]
        assert repeat["forest_out_of_fold"] < repeat["table"]


def test_several_models_are_also_averaged(digits_cells: Measured, tmp_path: Path) -> None:
    configs = {name: default_config(name) for name in ("forest", "lgb")}
    found = compare_repeats(digits_cells, configs, Fitting(members=2, seed=0, folds=2), tmp_path)
    names = {"table", *(f"{name}{kind}" for name in ("forest", "lgb", "all") for kind in ("", "_out_of_fold"))}
    for repeat in found["repeats"]:
        assert set(repeat) == names
        assert repeat["all"] <= max(repeat["forest"], repeat["lgb"])
