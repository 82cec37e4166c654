"""The scores of a ranking study compared with the table: its record, as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.core.arrays import Floats
from metaopt.ranking.ranking import Agreement, spearman
from metaopt.ranking.scores import Scores, parts, read_scores
from metaopt.ranking.study import RankingStudy, enumerated
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.table import Table

#: Sets of cells: all that are scored, and those of them that the published enumeration has.
ALL, ENUMERATED = "all", "enumerated"


def record(study: RankingStudy, folder: Path, header: dict[str, Any]) -> dict[str, Any]:
    """Compares all scores of a finished study with the table.

    Args:
        study: Which.
        folder: Where its scores are.
        header: How it was made.

    Returns:
        ``header``, the study, its cells with their true errors, every measure of every way to evaluate them, and the
        errors of the first supernet for the figure.

    Raises:
        RunError: if the scores of a part cannot be read.
        TableError: if there is no table.
    """
    graphs = study.graphs
    table = Table(find_table(load_card(study.benchmark), study.cell_space), study.cell_space)
    errors, _ = table.query_many([graph.hash for graph in graphs])
    truth = errors[:, ~np.isnan(errors).any(axis=0)]  # of the seeds that all of these cells were trained with
    chain = np.array([enumerated(graph) for graph in graphs])
    found = [read_scores(part) for part in parts(study, folder)]
    sets = {name: chosen for name, chosen in ((ALL, np.ones_like(chain)), (ENUMERATED, chain)) if chosen.any()}
    return {
        **header,
        "study": study.to_json(),
        "cpu_s": round(sum(scores.cpu_s for scores in found), 1),
        "same_weights": _same_weights(found),
        "ceiling": {name: _ceiling(truth[chosen]) for name, chosen in sets.items()},
        "measures": [
            measures
            for scores in found
            for name, chosen in sets.items()
            for measures in _measures(scores, truth, name, chosen)
        ],
        "cells": [
            {"cell": graph.key, "enumerated": bool(c), "valid_error": round(float(errors.mean()), 6)}
            for graph, c, errors in zip(graphs, chain, truth, strict=True)
        ],
        "first_supernet": {
            scores.part.statistics: np.round(scores.values[-1, 0, :, 0], 4).tolist()
            for scores in found
            if scores.part.seed == 0
        },
    }


def _same_weights(found: list[Scores]) -> bool:
    """Returns whether the kind of statistics has changed nothing in the trainings with one seed."""
    weights: dict[int, set[tuple[str, ...]]] = {}
    for scores in found:
        weights.setdefault(scores.part.seed, set()).add(scores.weights)
    return all(len(digests) == 1 for digests in weights.values())


def _ceiling(truth: Floats) -> float | None:
    """Returns how well the table ranks its own cells: mean Spearman of one repeat and the mean of the others.

    None if there is one repeat only.
    """
    if truth.shape[1] < 2:
        return None
    repeats = range(truth.shape[1])
    others = [np.delete(truth, repeat, axis=1).mean(axis=1) for repeat in repeats]
    return _plain(np.mean([spearman(truth[:, repeat], others[repeat]) for repeat in repeats]))


def _plain(value: float | np.floating[Any]) -> float | None:
    """Returns a number that JSON has, or None."""
    return round(float(value), 6) if np.isfinite(value) else None


def _measures(scores: Scores, truth: Floats, name: str, chosen: NDArray[np.bool_]) -> list[dict[str, Any]]:
    study = scores.part.study
    return [
        {
            "seed": scores.part.seed,
            "epochs": epochs,
            "batch_norm": scores.part.statistics,
            **defects,
            "among": name,
            "score": kind,
            "mean_score": _plain(values[chosen, column].mean()),
            **Agreement.of(values[chosen, column], truth[chosen]).to_json(),
        }
        for epochs, of_epoch in zip(study.at, scores.values, strict=True)
        for defects, values in zip(study.defects, of_epoch, strict=True)
        for column, kind in enumerate(("error", "loss"))
    ]
