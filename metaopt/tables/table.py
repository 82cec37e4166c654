"""A table of stored evaluations: what was measured of every cell that it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.core.arrays import Floats
from metaopt.core.errors import TableError
from metaopt.core.wording import counted
from metaopt.tables.store import Store


@dataclass(frozen=True)
class Entry:
    """What is known of one cell after some epochs; S seeds it was trained with.

    Attributes:
        valid_errors: (S,) in [0, 1].
        test_errors: (S,) in [0, 1].
        cost_s: Mean seconds of training over the seeds; None where the table does not have them.
        parameters: Trainable weights; None likewise.
        predicted: Whether a surrogate says so, and no network of this cell was trained.
    """

    valid_errors: tuple[float, ...]
    test_errors: tuple[float, ...]
    cost_s: float | None = None
    parameters: int | None = None
    predicted: bool = False

    @property
    def valid_error(self) -> float:
        """Mean over the seeds."""
        return sum(self.valid_errors) / len(self.valid_errors)

    @property
    def test_error(self) -> float:
        """Mean over the seeds."""
        return sum(self.test_errors) / len(self.test_errors)


class Table:
    """Evaluations of K cells after E numbers of epochs with up to S seeds each.

    Args:
        path: A file that :mod:`metaopt.tables.schema` wrote.
        cell_space: 1, 2 or 3: where all cells are spoken of, these are the ones in it; None: all of the table.

    Attributes:
        path: The file.
        epochs: (E,) ascending.
        seeds: (S,) ascending.
        provenance: How the table was made.

    Raises:
        TableError: here or later, if the file cannot be read, lacks rows of some cell, or holds impossible values.
    """

    def __init__(self, path: Path, cell_space: int | None = None) -> None:
        self._store, self._cell_space = Store(path), cell_space
        self.path, self.provenance = path, self._store.provenance
        self.seeds, self.epochs = self._store.seeds, self._store.epochs

    def __len__(self) -> int:
        return int(self._members.sum())

    def __contains__(self, graph: CellGraph) -> bool:
        return self._store.find(graph.hash) is not None

    @property
    def hashes(self) -> NDArray[np.bytes_]:
        """(K,) hashes of the cells, ascending."""
        return self._store.hashes[self._members]

    @cached_property
    def keys(self) -> list[str]:
        """(K,) keys of the cells' graphs, ordered by their hashes."""
        keys: list[str] = self._store.of_cells("cell").to_pylist()
        return [keys[row] for row in np.flatnonzero(self._members)]

    @cached_property
    def valid_error(self) -> Floats:
        """(K, S, E) in [0, 1]; NaN for seeds that a cell was not trained with."""
        return self._all["valid_error"][self._members]

    @cached_property
    def test_error(self) -> Floats:
        """(K, S, E) in [0, 1]; NaN for seeds that a cell was not trained with."""
        return self._all["test_error"][self._members]

    @cached_property
    def means(self) -> tuple[Floats, Floats]:
        """(K,) validation and (K,) test errors after the last epoch, each a mean over the seeds of its cell."""
        valid, test = (np.nanmean(errors[:, :, -1], axis=1) for errors in (self.valid_error, self.test_error))
        return valid, test

    @property
    def timed(self) -> bool:
        """Whether it holds how long the trainings took."""
        return "cost_s" in self._store.columns

    def query(self, graph: CellGraph, epochs: int | None = None) -> Entry:
        """Returns what the table knows of a cell.

        Args:
            graph: The cell; any graph that is isomorphic to one in the table.
            epochs: One of :attr:`epochs`; None: the last.

        Raises:
            TableError: if the cell, or the number of epochs, is not in the table.
        """
        found = self._store.find(graph.hash)
        if found is None:
            raise TableError(f"the cell {graph.key} is not in the table of {counted(len(self), 'cell')}", _UNKNOWN)
        at = self._place(epochs)
        group, row = found
        of_seeds = {name: values[row, :, at] for name, values in group.values.items()}
        trained = ~np.isnan(of_seeds["valid_error"])
        valid, test = (tuple(of_seeds[name][trained].tolist()) for name in ("valid_error", "test_error"))
        cost_s = float(of_seeds["cost_s"][trained].mean()) if "cost_s" in of_seeds else None
        return Entry(valid, test, cost_s, None if group.parameters is None else int(group.parameters[row]))

    def query_many(self, hashes: Sequence[str], epochs: int | None = None) -> tuple[Floats, Floats]:
        """Returns validation and test errors of many cells at once, each (len(hashes), S), NaN where one lacks a seed.

        Args:
            hashes: NAS-Bench-101 hashes of cells.
            epochs: One of :attr:`epochs`; None: the last.

        Raises:
            TableError: if one of the cells, or the number of epochs, is not in the table.
        """
        wanted, at = np.array(hashes, dtype="S32"), self._place(epochs)
        rows = np.minimum(np.searchsorted(self._store.hashes, wanted), len(self._store.hashes) - 1)
        if (lost := self._store.hashes[rows] != wanted).any():
            text = (
                f"the cell with the hash {wanted[lost][0].decode()} is not in the table of {counted(len(self), 'cell')}"
            )
            raise TableError(text, _UNKNOWN)
        return self._all["valid_error"][rows, :, at], self._all["test_error"][rows, :, at]

    def optimum(self) -> tuple[float, float]:
        """Returns the lowest validation error and the lowest test error of any cell, each a mean over its seeds.

        They are what regret is counted from, each for its own part, and may belong to different cells. The lowest of
        many single trainings is too low, since the luckiest is chosen; see :meth:`metaopt.tables.card.Card.rounds`.

        Raises:
            TableError: if the table has no cell of the cell space.
        """
        if not len(self):
            raise TableError(
                f"the table {self.path} has no cell of cell space {self._cell_space}", "choose another {--cell_space}"
            )
        valid, test = self.means
        return float(valid.min()), float(test.min())

    @property
    def selected(self) -> tuple[float, float]:
        """Validation and test error of the cell whose validation error is lowest, each a mean over its seeds.

        Whoever selects by validation error cannot expect a lower test error than this one.
        """
        valid, test = self.means
        best = int(valid.argmin())
        return float(valid[best]), float(test[best])

    def rank(self, valid_error: float) -> int:
        """Returns the place of a mean validation error among the cells', from 1; equals share the first place of them.

        Args:
            valid_error: Mean over the seeds; what differs by less than the rounding of it counts as equal.
        """
        return 1 + int((self.means[0] < valid_error - _ROUNDING).sum())

    @cached_property
    def digest(self) -> str:
        """Changes with the cells of the cell space, and with any error or cost of them, whatever file holds them.

        The first 16 digits of the SHA-256 of epochs and seeds, of the hashes, and of the measures in single precision.
        """
        values = {"valid_error": self.valid_error, "test_error": self.test_error}
        if self.timed:
            values["cost_s"] = self._store.measure("cost_s")[self._members]
        trained = (~np.isnan(self.valid_error)).any(axis=(0, 2))  # not what only cells of other spaces have
        seeds = np.array(self.seeds)[trained].tolist()
        content = hashlib.sha256(repr((self.epochs, seeds, list(values))).encode() + self.hashes.tobytes())
        for measure in values.values():
            content.update(measure[:, trained].astype("<f4").tobytes())
        return content.hexdigest()[:16]

    def describe(self) -> Mapping[str, Any]:
        """Returns sizes as plain values; ``most_seeds`` where some cells were trained with more seeds than others."""
        seeds = (~np.isnan(self.valid_error[:, :, -1])).sum(axis=1) if len(self) else np.array([len(self.seeds)])
        most = {"most_seeds": int(seeds.max())} if seeds.min() < seeds.max() else {}
        return {"cells": len(self), "seeds": int(seeds.min()), **most, "epochs": self.epochs}

    def _place(self, epochs: int | None) -> int:
        if epochs is not None and epochs not in self.epochs:
            raise TableError(f"the table has no results after {counted(epochs, 'epoch')}", f"allowed: {self.epochs}")
        return -1 if epochs is None else self.epochs.index(epochs)

    @cached_property
    def _members(self) -> NDArray[np.bool_]:
        """Which of the file's cells are of the cell space."""
        if self._cell_space is None or "cell_spaces" not in self._store.columns:
            return np.ones(len(self._store.hashes), dtype=bool)
        bits = self._store.of_cells("cell_spaces").to_numpy()
        members: NDArray[np.bool_] = bits >> (self._cell_space - 1) & 1 == 1
        return members

    @cached_property
    def _all(self) -> dict[str, Floats]:
        """Errors of all cells in the file."""
        return {name: self._store.measure(name) for name in ("valid_error", "test_error")}


_UNKNOWN = "use its cell space, or change {--unknown}: metaopt tune --help"
_ROUNDING = 1e-6  # well above that of 32 bits, well below one image of 9,984 in three seeds
