"""The file of a table, read as far as it is asked: first the footer, then single groups of cells, or whole columns."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from metaopt.errors import TableError
from metaopt.tables.schema import MEASURES, damaged, open_table

Floats = NDArray[np.float64]
#: Row groups that stay in memory; a search asks for few cells, and for the same ones again and again.
_GROUPS_KEPT = 64
_ERRORS = tuple(name for name in MEASURES if name.endswith("_error"))


@dataclass(frozen=True)
class Group:
    """Consecutive cells of a table: K cells, S seeds, E numbers of epochs.

    Attributes:
        hashes: (K,) ascending.
        values: The measures, (K, S, E), by name.
        parameters: (K,), if the table has them.
    """

    hashes: list[str]
    values: Mapping[str, Floats]
    parameters: NDArray[np.int64] | None


class Store:
    """The rows of one table.

    Args:
        path: A file that :mod:`metaopt.tables.schema` wrote.

    Attributes:
        path: The file.
        epochs: (E,) ascending.
        seeds: (S,) ascending.
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
        self.seeds: list[int] = sorted(first["seed"].unique().to_pylist())
        self.epochs: list[int] = sorted(first["epochs"].unique().to_pylist())
        self._per_cell = len(self.seeds) * len(self.epochs)
        self._check_grid(first)
        self._starts = self._first_hashes()
        self._group = lru_cache(maxsize=_GROUPS_KEPT)(self._load_group)

    def find(self, cell_hash: str) -> tuple[Group, int] | None:
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
        return self._column(column).take(np.arange(0, self._file.metadata.num_rows, self._per_cell))

    def measure(self, name: str) -> Floats:
        """Returns a measure of all cells, (K, S, E)."""
        if self._file.metadata.num_rows % self._per_cell:
            raise self._incomplete(self._file.metadata.num_rows, len(self._column("cell_hash").unique()))
        return self._checked(name, _floats(self._column(name)))

    def _load_group(self, number: int) -> Group:
        rows = self._read_group(number)
        self._check_grid(rows)
        values = {name: self._checked(name, _floats(rows[name])) for name in MEASURES if name in rows.schema.names}
        there = "parameters" in rows.schema.names
        parameters = rows["parameters"].to_numpy()[:: self._per_cell] if there else None
        return Group(rows["cell_hash"].to_pylist()[:: self._per_cell], values, parameters)

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

    def _checked(self, name: str, values: Floats) -> Floats:
        if name in _ERRORS and not ((values >= 0) & (values <= 1)).all():
            raise TableError(f"the table {self.path} holds errors that are not in [0, 1]", "build it again")
        return values.reshape(-1, len(self.seeds), len(self.epochs))

    def _check_grid(self, rows: pa.Table) -> None:
        """Checks that every cell has a row for each seed and number of epochs, in order."""
        hashes = rows["cell_hash"].to_pylist()
        cells = len(hashes) // self._per_cell
        grid = {"seed": np.repeat(self.seeds, len(self.epochs)), "epochs": np.tile(self.epochs, len(self.seeds))}
        complete = len(hashes) == cells * self._per_cell and all(
            np.array_equal(rows[name].to_numpy(), np.tile(of_cell, cells)) for name, of_cell in grid.items()
        )
        distinct = hashes[:: self._per_cell]
        if not complete or distinct != sorted(set(hashes)):
            raise self._incomplete(len(hashes), len(set(hashes)))

    def _incomplete(self, rows: int, cells: int) -> TableError:
        return TableError(
            f"the table {self.path} is incomplete: {rows} rows for {cells} cells x {len(self.seeds)} "
            f"seeds x {len(self.epochs)} numbers of epochs",
            "build it again with metaopt benchmark build, or import it again",
        )


def _floats(column: pa.ChunkedArray) -> Floats:
    floats: Floats = column.to_numpy().astype(float)
    return floats
