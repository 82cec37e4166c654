"""Says in lines of text what a surrogate was fitted to and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metaopt.core.wording import counted


def quality_lines(record: Mapping[str, Any]) -> list[str]:
    """Returns what a surrogate was fitted to and what it is worth, as lines of text.

    Args:
        record: The provenance of its predictions; those of earlier versions, and of others, tell less.
    """
    lines = (
        [f"fitted to {record['training_cells']} cells; {record.get('command')}"] if "training_cells" in record else []
    )
    judgments = record.get("judgments")
    if judgments is None:
        like = [{"epochs": None, "cells": "held out", "judged_cells": record.get("held_out_cells"), **record}]
        lines += (
            _judged_lines(like)
            if "metrics" in record
            else ["how good it is on cells like its training cells: not judged"]
        )
        return [*lines, "how good it is on cells unlike its training cells: not judged; fit it again to know"]
    return lines + _judged_lines(judgments)


def _judged_lines(judgments: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for judged in judgments:
        after = "" if judged["epochs"] is None else f" after {counted(judged['epochs'], 'epoch')}"
        for model, targets in judged["metrics"].items():
            figures = [f"{name} {value:.4g}" for name, value in targets["valid_error"].items() if value is not None]
            lines.append(f"{model}, validation error{after}, {whose(judged)}: {', '.join(figures)}")
    return lines


def whose(judged: Mapping[str, Any]) -> str:
    """Says which cells a judgment is of."""
    many, kind = judged["judged_cells"], judged["cells"]
    if kind == "held out":
        return f"{many} cells like its training cells"
    if kind == "wirings":
        return f"{many} cells of wirings unlike those of the training cells"
    return f"{many} cells of {kind}, unlike the training cells' sizes"
