"""The page of a fitted surrogate, as Markdown: what it was fitted to and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from metaopt.core.wording import counted

_QUALITY = (
    ("r2", "R2"),
    ("spearman", "Spearman"),
    ("kendall", "Kendall"),
    ("sparse_kendall", "sparse Kendall"),
    ("mae", "MAE (%)"),
    ("median_ae", "median AE (%)"),
)
_NOISE = (
    ("mae_surrogate", "MAE of surrogate (%)"),
    ("mae_table", "MAE of one training (%)"),
    ("sigma_surrogate", "sigma of surrogate (%)"),
    ("sigma_table", "sigma of trainings (%)"),
    ("kl", "KL"),
    ("kl_median", "median KL"),
)
_SHARES = {"mae", "median_ae", "mae_surrogate", "mae_table", "sigma_surrogate", "sigma_table"}


def page(record: Mapping[str, Any]) -> str:
    """Returns the Markdown page of a record that ``metaopt benchmark fit-surrogate`` wrote."""
    parts = [f"# Surrogate of {record['table']}, cell space {record['cell_space']}\n", _made(record)]
    for target, title in (("valid_error", "Validation error"), ("test_error", "Test error")):
        rows = [(name, of_model[target]) for name, of_model in record["metrics"].items()]
        parts.append(f"## {title} of {record['held_out_cells']} held-out cells\n\n" + _table(_QUALITY, rows))
    parts.append(_judgments(record.get("judgments", ())))
    noise = [(name, of_model["noise"]) for name, of_model in record["metrics"].items() if "noise" in of_model]
    if noise:
        parts.append("## Noise of the validation error of these cells\n\n" + _table(_NOISE, noise))
    if "sources" in record:
        parts.append(_sources(record["sources"]))
    if "table1" in record:
        parts.append(_table1(record["table1"]))
    if record["tuned"]:
        parts.append(_tuned(record["tuned"]))
    return "\n".join(parts)


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
            _lines(like) if "metrics" in record else ["how good it is on cells like its training cells: not judged"]
        )
        return [*lines, "how good it is on cells unlike its training cells: not judged; fit it again to know"]
    return lines + _lines(judgments)


def _lines(judgments: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for judged in judgments:
        after = "" if judged["epochs"] is None else f" after {counted(judged['epochs'], 'epoch')}"
        for model, targets in judged["metrics"].items():
            figures = [f"{name} {value:.4g}" for name, value in targets["valid_error"].items() if value is not None]
            lines.append(f"{model}, validation error{after}, {_whose(judged)}: {', '.join(figures)}")
    return lines


def _whose(judged: Mapping[str, Any]) -> str:
    """Says which cells were predicted."""
    many, kind = judged["judged_cells"], judged["cells"]
    if kind == "held out":
        return f"{many} cells like its training cells"
    if kind == "wirings":
        return f"{many} cells of wirings unlike those of the training cells"
    return f"{many} cells of {kind}, unlike the training cells' sizes"


def _judgments(judgments: Sequence[Mapping[str, Any]]) -> str:
    title = "## Validation error of cells like the training cells, and unlike them\n\n"
    if not judgments:
        return f"{title}Not judged.\n"
    why = (
        "Held-out cells are drawn like the training cells, so their wirings and sizes have been learned from. Of the "
        "others, whole wirings (a tenth of the cells has one of them) or all cells of a size are predicted by as many "
        "members, which have learned from none of them.\n\n"
    )
    rows = [
        (f"after {counted(judged['epochs'], 'epoch')}, {_whose(judged)}: {model}", targets["valid_error"])
        for judged in judgments
        for model, targets in judged["metrics"].items()
    ]
    return title + why + _table(_QUALITY, rows)


def _made(record: Mapping[str, Any]) -> str:
    models = ", ".join(f"{name} ({counted(record['members'], 'member')})" for name in record["models"])
    return (
        f"Fitted by `{record['command']}` to {record['training_cells']} cells: {models}. What they learn is the "
        "logarithm of the error + 0.001. The mean over all members answers (`all`); their standard deviation is the "
        "noise. Errors and standard deviations stand in percent.\n"
    )


def _table(columns: Sequence[tuple[str, str]], rows: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    lines = ["| | " + " | ".join(title for _, title in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, values in rows:
        lines.append(f"| {name} | " + " | ".join(_cell(key, values[key]) for key, _ in columns) + " |")
    return "\n".join(lines) + "\n"


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.3f}" if key in _SHARES else f"{value:.3f}"


def _sources(sources: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (f"without {source}: {name}, {entry['cells']} cells", values)
        for source, entry in sources.items()
        for name, values in entry.items()
        if name != "cells"
    ]
    return "## Cells of one source, predicted from all others\n\n" + _table(_QUALITY, rows)


def _table1(found: Mapping[str, Any]) -> str:
    names = list(found["repeats"][0])
    lines = [
        "## One training as the answer, or a surrogate of it\n",
        f"Mean absolute error in 1e-3 against the mean of the other trainings; {found['cells']} cells, "
        f"{found['dropped']} with a training above 50 % error left out (NAS-Bench-301, Table 1). The surrogates "
        "predict cells that they have learned from, as published; `out of fold` is by members that have not.\n",
        "| training | " + " | ".join(name.replace("_out_of_fold", ", out of fold") for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for number, repeat in enumerate(found["repeats"], start=1):
        lines.append(f"| {number} | " + " | ".join(f"{1000 * repeat[name]:.3f}" for name in names) + " |")
    return "\n".join(lines) + "\n"


def _tuned(tuned: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["## Tuning\n", "| | trials | MAE of the default (%) | MAE of the choice (%) |", "|---|---|---|---|"]
    for name, entry in tuned.items():
        mine, ours = (f"{100 * entry[key]:.3f}" for key in ("default_mae", "mae"))
        lines.append(f"| {name} | {len(entry['trials'])} | {mine} | {ours} |")
    return "\n".join(lines) + "\n"
