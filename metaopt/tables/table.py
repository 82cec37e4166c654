"""A table in memory: looked up by hash, a microsecond each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt import paths
from metaopt.cells.graph import CellGraph
from metaopt.errors import TableError
from metaopt.tables.card import Card
from metaopt.tables.schema import read_table


@dataclass(frozen=True)
class Entry:
    """What a table knows of one cell after some epochs; S seeds.

    Attributes:
        valid_errors: (S,) in [0, 1].
        test_errors: (S,) in [0, 1].
        cost_s: Mean seconds of training over the seeds.
        parameters: Trainable weights.
    """

    valid_errors: tuple[float, ...]
    test_errors: tuple[float, ...]
    cost_s: float
    parameters: int

    @property
    def valid_error(self) -> float:
        """Mean over the seeds."""
        return sum(self.valid_errors) / len(self.valid_errors)

    @property
    def test_error(self) -> float:
        """Mean over the seeds."""
        return sum(self.test_errors) / len(self.test_errors)


class Table:
    """Evaluations of K cells after E numbers of epochs with S seeds each.

    Args:
        path: A file that :func:`metaopt.tables.schema.write_table` wrote.

    Attributes:
        epochs: (E,) ascending.
        valid_error: (K, S, E).
        test_error: (K, S, E).
        provenance: How the table was made.

    Raises:
        TableError: if the file cannot be read, or lacks rows of some cell.
    """

    def __init__(self, path: Path) -> None:
        rows, self.provenance = read_table(path)
        rows = rows.sort_by([("cell_hash", "ascending"), ("seed", "ascending"), ("epochs", "ascending")])
        self.seeds: list[int] = sorted(rows["seed"].unique().to_pylist())
        self.epochs: list[int] = sorted(rows["epochs"].unique().to_pylist())
        step = len(self.seeds) * len(self.epochs)
        self.keys: list[str] = rows["cell"].take(list(range(0, len(rows), step))).to_pylist()
        hashes = rows["cell_hash"].take(list(range(0, len(rows), step))).to_pylist()
        if not hashes or len(set(hashes)) * step != len(rows):
            raise TableError(
                f"the table {path} is incomplete: {len(rows)} rows for {len(set(hashes))} cells x {len(self.seeds)} "
                f"seeds x {len(self.epochs)} numbers of epochs",
                "build it again with metaopt benchmark build",
            )
        self._row = {hash_: row for row, hash_ in enumerate(hashes)}
        shape = (len(hashes), len(self.seeds), len(self.epochs))
        self.valid_error: NDArray[np.float64] = rows["valid_error"].to_numpy().astype(float).reshape(shape)
        self.test_error: NDArray[np.float64] = rows["test_error"].to_numpy().astype(float).reshape(shape)
        if not all(((errors >= 0) & (errors <= 1)).all() for errors in (self.valid_error, self.test_error)):
            raise TableError(f"the table {path} holds errors that are not in [0, 1]", "build it again")
        self._cost_s = rows["cost_s"].to_numpy().astype(float).reshape(shape)
        self._parameters = rows["parameters"].to_numpy().reshape(shape)[:, 0, 0]

    def __len__(self) -> int:
        return len(self._row)

    def query(self, graph: CellGraph, epochs: int | None = None) -> Entry:
        """Returns what the table knows of a cell.

        Args:
            graph: The cell; any graph that is isomorphic to one in the table.
            epochs: One of :attr:`epochs`; None: the last.

        Raises:
            TableError: if the cell, or the number of epochs, is not in the table.
        """
        row = self._row_of(graph)
        if epochs is not None and epochs not in self.epochs:
            raise TableError(f"the table has no results after {epochs} epochs", f"allowed: {self.epochs}")
        at = -1 if epochs is None else self.epochs.index(epochs)
        return Entry(
            tuple(self.valid_error[row, :, at].tolist()),
            tuple(self.test_error[row, :, at].tolist()),
            float(self._cost_s[row, :, at].mean()),
            int(self._parameters[row]),
        )

    def optimum(self) -> tuple[float, float]:
        """Returns the lowest validation error and the lowest test error of any cell, each a mean over the seeds.

        They are what regret is counted from, each for its own part, and may belong to different cells.
        """
        last = self.valid_error[:, :, -1].mean(axis=1), self.test_error[:, :, -1].mean(axis=1)
        return float(last[0].min()), float(last[1].min())

    def rank(self, graph: CellGraph) -> int:
        """Returns the place of a cell among all by mean validation error, from 1; equals share the first place of them.

        Raises:
            TableError: if the cell is not in the table.
        """
        errors = self.valid_error[:, :, -1].mean(axis=1)
        return 1 + int((errors < errors[self._row_of(graph)]).sum())

    def _row_of(self, graph: CellGraph) -> int:
        row = self._row.get(graph.hash)
        if row is None:
            raise TableError(f"the cell {graph.key} is not in the table of {len(self)} cells", "use its cell space")
        return row

    def describe(self) -> Mapping[str, Any]:
        """Returns sizes as plain values."""
        return {"cells": len(self), "seeds": len(self.seeds), "epochs": self.epochs}


def find_table(card: Card, cell_space: int) -> Path:
    """Returns the table of a benchmark and cell space: the shipped one, else the one the user built.

    Raises:
        TableError: if there is neither; says how to build it.
    """
    name = card.table_name(cell_space)
    places = [paths.data_folder("benchmarks") / "tables" / name, paths.home() / "tables" / name]
    for place in places:
        if place.is_file():
            return place
    raise TableError(
        f"no table of benchmark {card.name!r} for cell space {cell_space}: looked for {' and '.join(map(str, places))}",
        f"build it, with all cores busy for an hour or many: metaopt benchmark build {card.name} --space {cell_space}",
    )
