from __future__ import annotations

from typing import Any

import pytest

from metaopt.surrogates.readme import page

QUALITY = {
    "r2": 0.9, "spearman": 0.95, "kendall": None, "sparse_kendall": 0.8, "mae": 0.0123456, "median_ae": 0.005,
}  # fmt: skip
NOISE = {
    "mae_surrogate": 0.0123, "mae_table": 0.0186, "sigma_surrogate": 0.002, "sigma_table": 0.013, "kl": None,
    "kl_median": 36.9, "mae_single": 0.02, "kl_cells": 3,
}  # fmt: skip


@pytest.fixture
def record() -> dict[str, Any]:
    return {
        "table": "digits",
        "cell_space": 1,
        "models": ["lgb"],
        "members": 5,
        "command": "metaopt benchmark fit-surrogate digits",
        "training_cells": 2417,
        "held_out_cells": 268,
        "metrics": {"lgb": {"valid_error": QUALITY, "test_error": QUALITY}},
        "tuned": {},
    }


def test_errors_stand_in_percent_and_gaps_are_shown(record: dict[str, Any]) -> None:
    text = page(record)
    assert "| lgb | 0.900 | 0.950 | - | 0.800 | 1.235 | 0.500 |" in text
    assert "`metaopt benchmark fit-surrogate digits` to 2417 cells: lgb (5 members)" in text
    assert not [title for title in ("Noise", "source", "training as the answer", "Tuning") if title in text]


def test_what_was_asked_for_is_shown(record: dict[str, Any]) -> None:
    record["metrics"]["lgb"]["noise"] = NOISE
    record["sources"] = {"darts": {"cells": 40, "lgb": QUALITY}, "enas": {"cells": 3}}
    record["table1"] = {
        "cells": 2600, "dropped": 85, "repeats": [{"table": 0.0045, "lgb": 0.0034, "lgb_out_of_fold": 0.004}],
    }  # fmt: skip
    record["tuned"] = {"lgb": {"trials": [{}, {}], "default_mae": 0.012, "mae": 0.011}}
    text = page(record)
    for line in (
        "| lgb | 1.230 | 1.860 | 0.200 | 1.300 | - | 36.900 |",
        "| without darts: lgb, 40 cells | 0.900 |",
        "| training | table | lgb | lgb, out of fold |",
        "| 1 | 4.500 | 3.400 | 4.000 |",
        "2600 cells, 85 with a training above 50 % error left out",
        "| lgb | 2 | 1.200 | 1.100 |",
    ):
        assert line in text
