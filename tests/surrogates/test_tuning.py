from __future__ import annotations

import numpy as np
import pytest

from metaopt.spaces.space import check_config, load_space
from metaopt.surrogates.forest import Forest
from metaopt.surrogates.measured import Measured
from metaopt.surrogates.tuning import default_config, tune


@pytest.fixture
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Forest, "epochs", 8)
    monkeypatch.setattr(Forest, "min_epochs", 2)


@pytest.mark.usefixtures("_few_trees")
def test_tuning_starts_at_the_default_and_is_never_worse(digits_cells: Measured) -> None:
    told = list[int]()
    found = tune("forest", digits_cells.data, 12, seed=0, told=lambda: told.append(1))
    assert len(told) == len(found.trials) == 12
    assert found.trials[0]["config"] == default_config("forest")
    assert {trial["epochs"] for trial in found.trials} == {2, 4, 8}
    assert found.mae <= found.default_mae
    check_config(load_space("surrogate_forest"), dict(found.config))
    full = [trial for trial in found.trials if trial["epochs"] == 8]
    best = min(full, key=lambda trial: trial["mae"])
    assert found.config in (best["config"], default_config("forest"))
    assert found.mae == min(best["mae"], found.default_mae)


@pytest.mark.usefixtures("_few_trees")
def test_tuning_repeats_itself(digits_cells: Measured) -> None:
    first, again, other = (tune("forest", digits_cells.data, 5, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.trials != other.trials


@pytest.mark.usefixtures("_few_trees")
def test_predictions_that_are_no_numbers_are_crashes(digits_cells: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """They end the configuration, not the tuning."""
    predict = Forest.predict
    monkeypatch.setattr(
        Forest,
        "predict",
        lambda self, cells: predict(self, cells) * (1 if self.config == default_config("forest") else np.nan),
    )
    found = tune("forest", digits_cells.data, 6, seed=0)
    assert [trial["mae"] is None for trial in found.trials][:2] == [False, True]
    assert found.config == default_config("forest")
