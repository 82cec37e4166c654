from __future__ import annotations

from typing import Any

import pytest

from metaopt.surrogates.quality import quality_lines

QUALITY = {
    "r2": 0.9, "spearman": 0.95, "kendall": None, "sparse_kendall": 0.8, "mae": 0.0123456, "median_ae": 0.005,
}  # fmt: skip


@pytest.fixture
def record() -> dict[str, Any]:
    return {
        "command": "metaopt benchmark fit-surrogate digits",
        "training_cells": 2417,
        "held_out_cells": 268,
        "metrics": {"lgb": {"valid_error": QUALITY, "test_error": QUALITY}},
    }


def judged(epochs: int, cells: str, spearman: float) -> dict[str, Any]:
    metrics = {"lgb": {"valid_error": {**QUALITY, "spearman": spearman}, "test_error": QUALITY}}
    return {"epochs": epochs, "cells": cells, "training_cells": 2000, "judged_cells": 300, "metrics": metrics}


def test_cells_like_and_unlike_the_training_cells_are_judged_each(record: dict[str, Any]) -> None:
    record["judgments"] = [judged(8, "held out", 0.985), judged(8, "wirings", 0.964), judged(4, "6 vertices", 0.5)]
    assert quality_lines(record) == [
        "fitted to 2417 cells; metaopt benchmark fit-surrogate digits",
        "lgb, validation error after 8 epochs, 300 cells like its training cells: r2 0.9, spearman 0.985, "
        "sparse_kendall 0.8, mae 0.01235, median_ae 0.005",
        "lgb, validation error after 8 epochs, 300 cells of wirings unlike those of the training cells: r2 0.9, "
        "spearman 0.964, sparse_kendall 0.8, mae 0.01235, median_ae 0.005",
        "lgb, validation error after 4 epochs, 300 cells of 6 vertices, unlike the training cells' sizes: r2 0.9, "
        "spearman 0.5, sparse_kendall 0.8, mae 0.01235, median_ae 0.005",
    ]


def test_what_an_earlier_version_has_not_judged_is_said(record: dict[str, Any]) -> None:
    _, like, unlike = quality_lines(record)
    assert like.startswith("lgb, validation error, 268 cells like its training cells: r2 0.9")
    assert unlike == "how good it is on cells unlike its training cells: not judged; fit it again to know"
    assert quality_lines({})[0] == "how good it is on cells like its training cells: not judged"
