"""Records of ranking studies that nobody has run, for tests of their page."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from metaopt.oneshot.supernet.scoring import STATISTICS
from metaopt.ranking.ranking import Agreement

CELLS = 60


def made_up_record(*, soft: bool = True, at: tuple[int, ...] = (5,), seeds: int = 2) -> dict[str, Any]:
    """Returns a record in which recalibrated statistics rank well, published ones and defects worse."""
    rng = np.random.default_rng(0)
    truth = np.sort(rng.random(CELLS))[:, None] + 0.01 * rng.random((CELLS, 3))
    chain = np.arange(CELLS) % 4 > 0
    measures: list[dict[str, Any]] = []
    combinations = itertools.product(
        range(seeds), STATISTICS, at, (False, True) if soft else (False,), (False, True), ("all", "enumerated")
    )
    for seed, statistics, epochs, soft_ops, lost_edge, among in combinations:
        chosen = chain if among == "enumerated" else np.ones_like(chain)
        noise = 0.1 + (statistics == "published") + 0.3 * soft_ops + 0.3 * lost_edge
        for kind in ("error", "loss"):
            score = truth.mean(axis=1) + noise * rng.random(CELLS)
            way = {
                "seed": seed, "epochs": epochs, "batch_norm": statistics, "lost_edge": lost_edge,
                "soft_ops": soft_ops, "among": among, "score": kind, "mean_score": round(float(score.mean()), 6),
            }  # fmt: skip
            measures.append({**way, **Agreement.of(score[chosen], truth[chosen]).to_json()})
    study = {
        "optimizer": "darts", "config": {"learning_rate": 0.025}, "benchmark": "digits", "cell_space": 1,
        "epochs": at[-1], "at": list(at), "seeds": seeds, "sample": CELLS, "device": "cpu",
    }  # fmt: skip
    return {
        "command": "metaopt correlate --optimizer darts",
        "study": study,
        "cpu_s": 150.0,
        "same_weights": True,
        "ceiling": {"all": 0.9, "enumerated": 0.8},
        "measures": measures,
        "cells": [
            {"cell": f"cell {index}", "enumerated": bool(chain[index]), "valid_error": float(truth[index].mean())}
            for index in range(CELLS)
        ],
        "first_supernet": {name: rng.random(CELLS).round(4).tolist() for name in STATISTICS},
    }
