"""The file of a table, read as far as it is asked: first the footer, then single groups of cells, or whole columns."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from metaopt.core.arrays import Floats
from metaopt.core.errors import TableError
from metaopt.tables.schema import MEASURES, UNEVEN, damaged, open_table

#: Row groups that stay in memory; a search asks for few cells, and for the same ones again and again.
_GROUPS_KEPT = 64
_ERRORS = tuple(name for name in MEASURES if name.endswith("_error"))


@dataclass(frozen=True)
class CellBlock:
    """Consecutive cells of a table: K cells, S seeds, E numbers of epochs.

    Attributes:
        hashes: (K,) ascending.
        values: The measures, (K, S, E), by name; NaN for the seeds that a cell was not trained with.
        parameters: (K,), if the table has them.
    """

    hashes: list[str]
    values: Mapping[str, Floats]
    parameters: NDArray[np.int64] | None


@dataclass(frozen=True)
class _Grid:
    """Where the rows of K cells belong in an array of them.

    Attributes:
        starts: (K,) the first row of each cell.
        places: Of every row in the flat array; None: they fill it in their order.
        shape: K, S, E.
    """

    starts: NDArray[np.int64]
    places: NDArray[np.int64] | None
    shape: tuple[int, int, int]

    @property
    def size(self) -> int:
        """Rows of cells that all have every seed."""
        return math.prod(self.shape)

    def spread(self, column: Floats) -> Floats:
        """Returns a column as (K, S, E), NaN where there is no row."""
        if self.places is None or len(column) == self.size:
            return column.reshape(self.shape)
        values = np.full(self.size, np.nan)
        values[self.places] = column
        return values.reshape(self.shape)


class Store:
    """The rows of one table.

    Args:
        path: A file that :mod:`metaopt.tables.schema` wrote.

    Attributes:
        path: The file.
        epochs: (E,) ascending.
        seeds: (S,) ascending; a cell may lack some in a table that says so.
        provenance: How the table was made.

    Raises:
        TableError: here or later, if the file cannot be read, lacks rows of some cell, or holds impossible values.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file, self.provenance = open_table(path)
        self.columns: list[str] = self._file.schema_arrow.names
        if not self._file.metadata.num_rows:
            raise TableError(f"the table {path} is incomplete: it has no rows", "build it again")
        first = self._read_group(0, ["cell_hash", "seed", "epochs"])
        self._uneven = UNEVEN in self.provenance
        seeds = self._column("seed") if self._uneven else first["seed"]
        self.seeds: list[int] = sorted(seeds.unique().to_pylist())
        self.epochs: list[int] = sorted(first["epochs"].unique().to_pylist())
        self._checked_hashes(first)
        self._starts = self._first_hashes()
        self._group = lru_cache(maxsize=_GROUPS_KEPT)(self._load_group)

    def find(self, cell_hash: str) -> tuple[CellBlock, int] | None:
        """Returns the group that holds a cell and its row there; None if the table does not have it."""
        number = bisect.bisect_right(self._starts, cell_hash) - 1
        if number < 0:
            return None
        group = self._group(number)
        row = bisect.bisect_left(group.hashes, cell_hash)
        return (group, row) if row < len(group.hashes) and group.hashes[row] == cell_hash else None

    @cached_property
    def hashes(self) -> NDArray[np.bytes_]:
        """Hashes of all cells, ascending."""
        return np.array(self.of_cells("cell_hash").to_pylist(), dtype="S32")

    def of_cells(self, column: str) -> pa.ChunkedArray:
        """Returns a column that tells something of the cell, one value per cell."""
        return self._column(column).take(self._grid.starts)

    def measure(self, name: str) -> Floats:
        """Returns a measure of all cells, (K, S, E); NaN for the seeds that a cell was not trained with."""
        return self._grid.spread(self._checked(name, self._column(name)))

    def _load_group(self, number: int) -> CellBlock:
        rows = self._read_group(number)
        hashes, grid = self._checked_hashes(rows)
        there = rows.schema.names
        values = {name: grid.spread(self._checked(name, rows[name])) for name in MEASURES if name in there}
        parameters = rows["parameters"].to_numpy()[grid.starts] if "parameters" in there else None
        return CellBlock(hashes, values, parameters)

    def _first_hashes(self) -> list[str]:
        """Returns the smallest hash of every row group, from the file's footer."""
        column, metadata = self.columns.index("cell_hash"), self._file.metadata
        if metadata.num_row_groups == 1:
            return [""]
        return [metadata.row_group(n).column(column).statistics.min for n in range(metadata.num_row_groups)]

    def _read_group(self, number: int, columns: list[str] | None = None) -> pa.Table:
        try:
            return self._file.read_row_group(number, columns)
        except (pa.ArrowException, OSError) as error:
            raise damaged(self.path, error) from None

    def _column(self, name: str) -> pa.ChunkedArray:
        try:
            return self._file.read([name])[name]
        except (pa.ArrowException, OSError) as error:
            raise damaged(self.path, error) from None

    def _checked(self, name: str, column: pa.ChunkedArray) -> Floats:
        values: Floats = column.to_numpy().astype(float)
        if name in _ERRORS and not ((values >= 0) & (values <= 1)).all():
            raise TableError(f"the table {self.path} holds errors that are not in [0, 1]", "build it again")
        return values

    @cached_property
    def _grid(self) -> _Grid:
        """Where the rows of the whole file belong."""
        rows = self._file.metadata.num_rows
        if self._uneven:
            grid = self._placed(self._column("seed").to_numpy(), self._column("epochs").to_numpy())
        else:
            grid = self._even(rows)
        if grid is None:
            raise self._incomplete(rows, len(self._column("cell_hash").unique()))
        return grid

    def _checked_hashes(self, rows: pa.Table) -> tuple[list[str], _Grid]:
        """Returns the hashes of some whole cells and where their rows belong; checks that no row lacks."""
        hashes = rows["cell_hash"].to_pylist()
        seed, epochs = rows["seed"].to_numpy(), rows["epochs"].to_numpy()
        grid = self._placed(seed, epochs)
        if grid is not None and not self._uneven and len(rows) != grid.size:
            grid = None
        distinct = [] if grid is None else [hashes[start] for start in grid.starts]
        if grid is None or distinct != sorted(set(hashes)):
            raise self._incomplete(len(hashes), len(set(hashes)))
        return distinct, grid

    def _even(self, rows: int) -> _Grid | None:
        """Returns the grid of a file whose cells all have every seed; None if its rows do not fill it."""
        per_cell = len(self.seeds) * len(self.epochs)
        if rows % per_cell:
            return None
        return _Grid(np.arange(0, rows, per_cell), None, (rows // per_cell, len(self.seeds), len(self.epochs)))

    def _placed(self, seed: NDArray[np.int64], epochs: NDArray[np.int64]) -> _Grid | None:
        """Returns the grid of rows; None unless every cell has the first seed, and every seed all epochs, in order."""
        starts = np.flatnonzero((seed == self.seeds[0]) & (epochs == self.epochs[0]))
        cell = np.searchsorted(starts, np.arange(len(seed)), side="right") - 1
        training = cell * len(self.seeds) + np.searchsorted(self.seeds, seed)
        place = training * len(self.epochs) + np.searchsorted(self.epochs, epochs)
        complete = np.isin(seed, self.seeds).all() and np.array_equal(
            epochs, np.tile(self.epochs, len(seed) // len(self.epochs) + 1)[: len(seed)]
        )
        if not complete or len(seed) % len(self.epochs) or not len(starts) or starts[0] or (np.diff(place) <= 0).any():
            return None
        return _Grid(starts, place, (len(starts), len(self.seeds), len(self.epochs)))

    def _incomplete(self, rows: int, cells: int) -> TableError:
        return TableError(
            f"the table {self.path} is incomplete: {rows} rows for {cells} cells x {len(self.seeds)} "
            f"seeds x {len(self.epochs)} numbers of epochs",
            "build it again with metaopt benchmark build, or import it again",
        )
