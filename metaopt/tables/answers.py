"""What a benchmark answers to a cell: measured by its table, or, if the user wants it so, predicted by its surrogate.

A table may be partial. ``unknown`` says what becomes of a cell that it does not hold: with ``refuse`` it is an error,
with ``surrogate`` a model's answer that is marked as predicted, and with ``restrict`` searches pick known cells only,
and what a tuner proposes counts as the nearest known cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError
from metaopt.core.wording import command
from metaopt.tables.card import Card
from metaopt.tables.files import find_predictions, find_table
from metaopt.tables.predictions import Predictions
from metaopt.tables.table import Entry, Table


class Answers:
    """A benchmark's answers for the cells of one cell space.

    Args:
        card: Of the benchmark.
        cell_space: 1, 2 or 3.
        unknown: One of :data:`metaopt.settings.search.UNKNOWN`; None: as the card says.

    Attributes:
        table: What was measured.
        unknown: One of :data:`metaopt.settings.search.UNKNOWN`.

    Raises:
        TableError: if there is no table, or if it is damaged.
        ConfigError: if a surrogate is wanted and there is none.
    """

    def __init__(self, card: Card, cell_space: int, unknown: str | None = None) -> None:
        self.table = Table(find_table(card, cell_space), cell_space)
        self.unknown = unknown or card.text["unknown"]
        self._card, self._cell_space, self._predictions = card, cell_space, None
        if self.unknown == "surrogate" and not self.complete:
            path = find_predictions(card, cell_space)
            if path is None:
                raise ConfigError(
                    f"the table of {card.name} holds {len(self.table)} of {self._distinct} cells of cell space "
                    f"{cell_space}, and there is no surrogate for the others",
                    f"fit one: {command('benchmark', 'fit-surrogate', card.name, '--cell-space', cell_space)}; or use "
                    "restrict or refuse for {--unknown}",
                )
            self._predictions = Predictions(path)

    @property
    def complete(self) -> bool:
        """Whether the table holds every cell of the cell space."""
        return len(self.table) == self._distinct

    @property
    def restricted(self) -> bool:
        """Whether searches may only pick what the table holds."""
        return self.unknown == "restrict" and not self.complete

    @property
    def timed(self) -> bool:
        """Whether every answer says how long the training took; a prediction does not."""
        return self.table.timed and self._predictions is None

    @property
    def epochs(self) -> list[int]:
        """After how many epochs there is an answer for every cell that has one at all, ascending.

        Those of the table; where a surrogate answers too, those of them that it was fitted to.
        """
        *earlier, last = self.table.epochs
        return [epochs for epochs in earlier if self._predictions is None or epochs in self._predictions.after] + [last]

    def __contains__(self, graph: CellGraph) -> bool:
        """Whether something is known of a cell after the last epochs, so that :meth:`query` answers."""
        return self._predictions is not None or graph in self.table

    def query(self, graph: CellGraph, epochs: int | None = None) -> Entry:
        """Returns what is known of a cell.

        Args:
            graph: The cell.
            epochs: One of :attr:`epochs`; None: the last.

        Raises:
            TableError: if the table does not hold it and nothing else answers.
        """
        if self._predictions is None or graph in self.table:
            return self.table.query(graph, epochs)
        found = self._predictions.query(graph, None if epochs == self.table.epochs[-1] else epochs)
        return Entry((found.valid_error,), (found.test_error,), predicted=True)

    def optimum(self) -> tuple[float, float]:
        """Returns the lowest validation and the lowest test error of all answers; regret is counted from them."""
        best = self.table.optimum()
        if self._predictions is None:
            return best
        unmeasured = ~np.isin(self._predictions.hashes, self.table.hashes)
        predicted = self._predictions.valid_error[unmeasured], self._predictions.test_error[unmeasured]
        return min(best[0], float(predicted[0].min())), min(best[1], float(predicted[1].min()))

    def selected_test_error(self) -> float:
        """Returns the test error of the answer whose validation error is lowest.

        What selects by validation error, as everything here does, cannot expect to find a lower one: the regret of it
        is the floor of what a search can reach.
        """
        valid, test = self.table.selected
        if self._predictions is None:
            return test
        unmeasured = ~np.isin(self._predictions.hashes, self.table.hashes)
        predicted = self._predictions.valid_error[unmeasured], self._predictions.test_error[unmeasured]
        best = int(predicted[0].argmin())
        return test if valid <= predicted[0][best] else float(predicted[1][best])

    def describe(self) -> Mapping[str, Any]:
        """Returns sizes, and what becomes of cells that the table does not hold, as plain values."""
        partial = {} if self.complete else {"of_cells": self._distinct, "unknown": self.unknown}
        return {**self.table.describe(), **partial}

    def digests(self) -> dict[str, str]:
        """Returns what tells these answers from any others: ``card``, ``table``, and ``surrogate`` where one answers.

        Each changes with the content and not with the file: see :attr:`metaopt.tables.card.Card.digest`,
        :attr:`metaopt.tables.table.Table.digest` and :attr:`metaopt.tables.predictions.Predictions.digest`. They need
        all errors of the cell space, as :meth:`optimum` does; opening a table computes none.
        """
        predicted = {} if self._predictions is None else {"surrogate": self._predictions.digest}
        return {"card": self._card.digest, "table": self.table.digest, **predicted}

    @property
    def _distinct(self) -> int:
        return CELL_SPACES[self._cell_space].n_distinct
