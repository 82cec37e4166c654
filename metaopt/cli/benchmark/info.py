"""``metaopt benchmark info``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from metaopt.cells.space import CELL_SPACES
from metaopt.cli import OK
from metaopt.cli.benchmark.listing import shipped_or_own
from metaopt.core.wording import command, counted, listed
from metaopt.surrogates.quality import quality_lines
from metaopt.tables.card import Card, load_card
from metaopt.tables.files import find_predictions
from metaopt.tables.predictions import Predictions
from metaopt.tables.shrinkage import shrunk_means
from metaopt.tables.table import Table

#: Of fewer cells no mean says what the best of them is worth.
_FEW_CELLS = 4


def info(arguments: Namespace) -> int:
    """Prints the card of a benchmark and what its tables hold."""
    card = load_card(arguments.benchmark)
    for key, value in card.text.items():
        _print_entry(key, value, 0)
    shown: set[Path] = set()
    for number in CELL_SPACES:
        path = shipped_or_own(card, number)
        print(f"\ntable of cell space {number}: " + ("none" if path is None else str(path)))
        if path is not None:
            table = Table(path, number)
            _print_cells(card, number, table)
            if path not in shown:
                _print_entry("provenance", table.provenance, 1)
            shown.add(path)
    return OK


def _print_entry(key: str, value: Any, depth: int) -> None:
    indent = "  " * depth
    if isinstance(value, dict):
        print(f"{indent}{key}:")
        for name, entry in value.items():
            _print_entry(name, entry, depth + 1)
    else:
        print(f"{indent}{key}: {' '.join(str(value).split())}")


def _print_cells(card: Card, cell_space: int, table: Table) -> None:
    distinct = CELL_SPACES[cell_space].n_distinct
    if not len(table):
        print(f"  measured: none of {distinct} distinct cells")
        return
    size = table.describe()
    least, most = size["seeds"], size.get("most_seeds", size["seeds"])
    seeds = counted(least, "seed") if least == most else f"{least} to {most} seeds"
    print(f"  {counted(len(table), 'cell')} x {seeds}, after {listed(table.epochs, 'epoch')}")
    _print_zero(table)
    if len(table) == distinct:
        print(f"  measured: all {distinct} distinct cells; predicted: none")
        return
    print(f"  measured: {len(table)} of {distinct} distinct cells ({len(table) / distinct:.1%})")
    path = find_predictions(card, cell_space)
    if path is None:
        fit = command("benchmark", "fit-surrogate", card.name, "--cell-space", cell_space)
        print(f"  predicted: none; {fit} fits a surrogate")
    else:
        _print_surrogate(Predictions(path), distinct - len(table), table.epochs)


def _print_zero(table: Table) -> None:
    """Prints what regret is counted from, how sure that is, and how near to it a choice by validation error comes."""
    for part, errors, mean in zip(
        ("validation", "test"), (table.valid_error, table.test_error), table.means, strict=True
    ):
        best = int(mean.argmin())
        of = errors[best, :, -1][~np.isnan(errors[best, :, -1])]
        doubt = "a single training, lucky among many" if len(of) == 1 else f"mean of {len(of)} trainings"
        error = "" if len(of) == 1 else f" ± {of.std(ddof=1) / len(of) ** 0.5:.4f} (standard error)"
        print(f"  zero of the {part} regret: {mean[best]:.4f}{error}, {doubt} of {table.keys[best]}")
        alike = errors[~np.isnan(errors[:, len(of) - 1, -1]), : len(of), -1]
        if len(of) > 1 and len(alike) > _FEW_CELLS:
            print(
                f"    the best of {len(alike)} cells trained as often; a further training of it is expected to "
                f"give {shrunk_means(alike).min():.4f}"
            )
    floor = table.selected[1] - table.optimum()[1]
    print(f"  test regret of the cell with the lowest validation error: {floor:.4f}; no choice by it can aim lower")


def _print_surrogate(predictions: Predictions, cells: int, epochs: Sequence[int]) -> None:
    """Prints what the surrogate answers, and how good it is on cells that it has not learned from."""
    lacking = ", ".join(str(number) for number in epochs[:-1] if number not in predictions.after)
    but = f" after {counted(epochs[-1], 'epoch')}, not after {lacking}" if lacking else ""
    print(f"  predicted: the other {cells}{but}, by {predictions.path}")
    print("\n".join(f"    {line}" for line in quality_lines(predictions.provenance)))
