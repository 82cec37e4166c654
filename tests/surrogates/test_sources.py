from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metaopt.surrogates.ensemble import Fitting, fit_ensemble, load_ensemble
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.sources import leave_one_out
from metaopt.surrogates.tuning import default_config


def test_cells_of_a_source_are_predicted_by_models_that_have_not_seen_them(
    digits_cells: Measured, tmp_path: Path
) -> None:
    hashes = [graph.hash for graph in digits_cells.cells.graphs]
    sources = {"darts": {*hashes[:20], "not in the table"}, "gdas": set(hashes[20:25])}
    config, how = default_config("forest"), Fitting(members=2, seed=0, folds=2)
    found = leave_one_out(digits_cells, sources, {"forest": config}, how, tmp_path)
    assert found["gdas"] == {"cells": 5}
    assert found["darts"]["cells"] == 20
    members = load_ensemble(tmp_path / "without-darts")
    mean = np.mean([member.predict(digits_cells.cells) for member in members], axis=0)[:20, 0]
    truth = digits_cells.data.errors[:20, 0]
    assert found["darts"]["forest"]["mae"] == pytest.approx(np.abs(mean - truth).mean(), abs=1e-6)
    rest = digits_cells.data.select(np.arange(20, 160))
    alone = fit_ensemble("forest", config, rest, how, tmp_path / "alone")
    assert [member.fitted_to for member in members] == [member.fitted_to for member in alone.members]
