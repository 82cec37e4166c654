"""What a table says of its cells, in the form that surrogates are fitted to and judged by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.core.arrays import Floats
from metaopt.core.errors import CellError, TableError
from metaopt.core.seeds import stream
from metaopt.surrogates.base import Data
from metaopt.surrogates.encoding import Cells
from metaopt.tables.table import Table

#: Share of the cells that no model learns from (NAS-Bench-301's released splits).
HELD_OUT = 0.1


@dataclass(frozen=True)
class Measured:
    """Results of N cells after some number of epochs, S trainings each.

    Attributes:
        cells: Ordered by their hashes.
        valid_error: (N, S) in [0, 1]; NaN for seeds that a cell was not trained with.
        test_error: (N, S) in [0, 1]; NaN likewise.
        in_space: (N,) whether a cell is in the cell space that is asked for.
    """

    cells: Cells
    valid_error: Floats
    test_error: Floats
    in_space: NDArray[np.bool_]

    @property
    def data(self) -> Data:
        """The cells with their validation and test errors, (N, 2), means over the trainings."""
        means = [np.nanmean(errors, axis=1) for errors in (self.valid_error, self.test_error)]
        return Data(self.cells, np.stack(means, axis=1))

    @property
    def shared(self) -> Measured:
        """The same with those seeds alone that every cell was trained with."""
        there = ~np.isnan(self.valid_error).any(axis=0)
        return replace(self, valid_error=self.valid_error[:, there], test_error=self.test_error[:, there])

    def select(self, rows: NDArray[np.int64]) -> Measured:
        """Returns some of the cells."""
        return Measured(self.cells.select(rows), self.valid_error[rows], self.test_error[rows], self.in_space[rows])


def measured(path: Path, cell_space: int) -> Measured:
    """Returns what :func:`measured_after_each` does after the largest number of epochs.

    Raises:
        TableError: if the table cannot be read, or tells of what is no cell.
    """
    each = measured_after_each(path, cell_space)
    return each[max(each)]


def measured_after_each(path: Path, cell_space: int) -> dict[int, Measured]:
    """Reads all cells of a table, also those of other cell spaces, as a surrogate learns from them too.

    Args:
        path: The table.
        cell_space: 1, 2 or 3.

    Returns:
        By number of epochs, ascending; the cells are the same everywhere.

    Raises:
        TableError: if the table cannot be read, or tells of what is no cell.
    """
    table = Table(path)
    try:
        cells = Cells([CellGraph.from_key(key) for key in table.keys])
    except CellError as error:
        raise TableError(f"the table {path} has what is no cell: {error.message}", "build or import it again") from None
    in_space = np.isin(table.hashes, Table(path, cell_space).hashes)
    return {
        epochs: Measured(cells, table.valid_error[:, :, at], table.test_error[:, :, at], in_space)
        for at, epochs in enumerate(table.epochs)
    }


def split(n: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the rows of the training cells and of the held-out ones, each ascending."""
    order = stream(seed, "surrogate held out").permutation(n)
    held_out = max(1, round(HELD_OUT * n))
    return np.sort(order[held_out:]), np.sort(order[:held_out])
