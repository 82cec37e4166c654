from __future__ import annotations

from typing import Any

import pytest

from metaopt.report.sections.surrogate import page

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


def judged(epochs: int, cells: str, spearman: float) -> dict[str, Any]:
    metrics = {"lgb": {"valid_error": {**QUALITY, "spearman": spearman}, "test_error": QUALITY}}
    return {"epochs": epochs, "cells": cells, "training_cells": 2000, "judged_cells": 300, "metrics": metrics}


def test_cells_like_and_unlike_the_training_cells_are_told_apart(record: dict[str, Any]) -> None:
    record["judgments"] = [judged(8, "held out", 0.985), judged(8, "wirings", 0.964), judged(4, "6 vertices", 0.5)]
    text = page(record)
    for line in (
        "| after 8 epochs, 300 cells like its training cells: lgb | 0.900 | 0.985 |",
        "| after 8 epochs, 300 cells of wirings unlike those of the training cells: lgb | 0.900 | 0.964 |",
        "| after 4 epochs, 300 cells of 6 vertices, unlike the training cells' sizes: lgb | 0.900 | 0.500 |",
    ):
        assert line in text


def test_what_an_earlier_version_has_not_judged_is_said(record: dict[str, Any]) -> None:
    assert "unlike them\n\nNot judged." in page(record)
