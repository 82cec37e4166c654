"""The page of a fitted surrogate, as Markdown: what it was fitted to and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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


def _made(record: Mapping[str, Any]) -> str:
    models = ", ".join(f"{name} ({record['members']} members)" for name in record["models"])
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
