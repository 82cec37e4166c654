"""What an import brings in, and the rows of the table that it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES, memberships
from metaopt.tables.schema import GROUP_CELLS

#: Up to so many cells it is faster to look for each in the cell spaces than to enumerate them.
_FEW_CELLS = 2000


@dataclass(frozen=True)
class Evaluations:
    """Evaluations of K cells with S seeds after E numbers of epochs each.

    Attributes:
        hashes: (K,) NAS-Bench-101 hashes, ascending.
        keys: (K,) keys of the graphs.
        cell_spaces: (K,) bit s-1 for a cell of cell space s.
        seeds: (S,) ascending.
        epochs: (E,) ascending.
        measures: Names out of :data:`metaopt.tables.schema.MEASURES` to (K, S, E).
        parameters: (K,) trainable weights; None where nothing is said of them.
    """

    hashes: NDArray[np.bytes_]
    keys: Sequence[str]
    cell_spaces: NDArray[np.uint8]
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]
    measures: Mapping[str, NDArray[np.float32]]
    parameters: NDArray[np.int32] | None = None

    def groups(self, cells: int = GROUP_CELLS) -> Iterator[pa.Table]:
        """Yields the rows for :func:`metaopt.tables.schema.write_groups`, so many cells at a time."""
        for start in range(0, len(self.keys), cells):
            yield self._rows(slice(start, start + cells))

    def _rows(self, part: slice) -> pa.Table:
        hashes = self.hashes[part]
        seeds, epochs, per_cell = len(self.seeds), len(self.epochs), len(self.seeds) * len(self.epochs)
        columns = {
            "cell": pa.array(self.keys[part]).take(np.repeat(np.arange(len(hashes)), per_cell)),
            "cell_hash": pa.array(np.repeat(hashes, per_cell).tolist()).cast(pa.string()),
            "cell_spaces": np.repeat(self.cell_spaces[part], per_cell),
            "seed": np.tile(np.repeat(np.array(self.seeds, np.int8), epochs), len(hashes)),
            "epochs": np.tile(np.array(self.epochs, np.int16), seeds * len(hashes)),
            **{name: values[part].ravel() for name, values in self.measures.items()},
        }
        if self.parameters is not None:
            columns["parameters"] = np.repeat(self.parameters[part], per_cell)
        return pa.table(columns)

    def of_space(self, cell_space: int) -> int:
        """Returns how many of the cells are in cell space 1, 2 or 3."""
        return int((self.cell_spaces >> (cell_space - 1) & 1).sum())


def spaces_of(hashes: NDArray[np.bytes_], keys: Sequence[str]) -> NDArray[np.uint8]:
    """Returns for each cell which cell spaces it is in, as :func:`metaopt.cells.space.memberships` does, fast for few.

    Args:
        hashes: (K,) of the cells.
        keys: (K,) of their graphs.
    """
    if len(keys) > _FEW_CELLS:
        return memberships(hashes)
    bits = np.zeros(len(keys), dtype=np.uint8)
    for row, key in enumerate(keys):
        graph = CellGraph.from_key(key)
        bits[row] = sum(1 << s - 1 for s, space in CELL_SPACES.items() if space.embed(graph) is not None)
    return bits
