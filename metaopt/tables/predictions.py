"""What a surrogate says of every cell of a cell space, as a file: asked like a table, without the models behind it.

A cell space is finite, so a model's answers are kept and not the model: looking one up needs none of the packages that
fitted it, and gives the same everywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.core.arrays import Floats
from metaopt.core.errors import TableError
from metaopt.core.paths import replacing
from metaopt.core.system_errors import explaining
from metaopt.core.wording import counted
from metaopt.tables.schema import damaged

_CELL = ("cell", "cell_hash")
_VALUES = ("valid_error", "valid_error_std", "test_error", "test_error_std")
#: Columns of every file: what is predicted after the last epochs of the table.
PREDICTIONS = (*_CELL, *_VALUES)
_AFTER = re.compile(rf"({'|'.join(_VALUES)})_after_([1-9][0-9]{{0,4}})")
_PROVENANCE = "metaopt"
_HINT = "fit it again: metaopt benchmark fit-surrogate"


def columns_after(epochs: int) -> tuple[str, ...]:
    """Returns the names of the columns of what is predicted after fewer epochs than the last, in the usual order."""
    return tuple(f"{name}_after_{epochs}" for name in _VALUES)


@dataclass(frozen=True)
class Prediction:
    """What an ensemble says of one cell: means over its members, and their standard deviations; shares in [0, 1]."""

    valid_error: float
    valid_error_std: float
    test_error: float
    test_error_std: float


def write_predictions(path: Path, rows: pa.Table, provenance: Mapping[str, Any]) -> None:
    """Writes what is predicted of all cells of a cell space, in any order; all of it or nothing.

    Errors are kept to five decimals, a thousandth of what models are wrong by: the file is a third smaller for it.

    Args:
        path: The file.
        rows: The columns :data:`PREDICTIONS`, and those that :func:`columns_after` names for any other epochs.
        provenance: Plain JSON values.
    """
    rows = rows.sort_by("cell_hash")
    values = [name for name in rows.schema.names if name not in _CELL]
    columns = {name: rows[name].cast(pa.string()) for name in _CELL}
    columns |= {name: pc.round(rows[name], 5).cast(pa.float32()) for name in values}
    table = pa.table(columns).replace_schema_metadata({_PROVENANCE: json.dumps(provenance)})
    with explaining(f"cannot write the predictions {path}", kind=TableError), replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd", compression_level=19, write_page_checksum=True)


class Predictions:
    """Predictions of K cells.

    Args:
        path: A file that :func:`write_predictions` wrote.

    Attributes:
        path: The file.
        hashes: (K,) of the cells, ascending.
        valid_error: (K,) in [0, 1], after the last epochs of the table.
        test_error: (K,) in [0, 1], likewise.
        after: After which other numbers of epochs there are predictions too; files of earlier versions have none.
        provenance: Models, how good they are, and how they were fitted.

    Raises:
        TableError: if the file cannot be read, has other columns, or holds impossible values.
    """

    def __init__(self, path: Path) -> None:
        try:
            rows = pq.read_table(path, page_checksum_verification=True)
            self.provenance: dict[str, Any] = json.loads((rows.schema.metadata or {}).get(_PROVENANCE.encode(), b"{}"))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise damaged(path, error) from None
        self.path, self.after = path, _epochs_of(rows.schema.names, path)
        self.hashes: NDArray[np.bytes_] = np.array(rows["cell_hash"].to_pylist(), dtype="S32")
        values = {name: rows[name].to_numpy().astype(float) for name in rows.schema.names if name not in _CELL}
        if not all(((errors >= 0) & (errors <= 1)).all() for errors in values.values()):
            raise TableError(f"the predictions {path} hold errors that are not in [0, 1]", _HINT)
        self._last = [values[name] for name in _VALUES]
        self._earlier = {epochs: [values[name] for name in columns_after(epochs)] for epochs in self.after}
        self.valid_error: Floats = values["valid_error"]
        self.test_error: Floats = values["test_error"]

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def digest(self) -> str:
        """Changes with the cells and with all that is predicted of them; the first 16 digits of a SHA-256."""
        content = hashlib.sha256(repr(sorted(self.after)).encode() + self.hashes.tobytes())
        for values in (*self._last, *(column for epochs in sorted(self.after) for column in self._earlier[epochs])):
            content.update(values.astype("<f4").tobytes())
        return content.hexdigest()[:16]

    def query(self, graph: CellGraph, epochs: int | None = None) -> Prediction:
        """Returns what is predicted for a cell.

        Args:
            graph: The cell; any graph that is isomorphic to one of the cell space.
            epochs: One of :attr:`after`; None: the last.

        Raises:
            TableError: if there is no prediction for it, or none after so many epochs.
        """
        wanted = np.bytes_(graph.hash)
        row = int(np.searchsorted(self.hashes, wanted))
        if row == len(self.hashes) or self.hashes[row] != wanted:
            raise TableError(f"the predictions {self.path} have none of the cell {graph.key}", "use its cell space")
        if epochs is not None and epochs not in self.after:
            raise TableError(f"the predictions {self.path} have none after {counted(epochs, 'epoch')}", _HINT)
        columns = self._last if epochs is None else self._earlier[epochs]
        return Prediction(*(float(values[row]) for values in columns))


def _epochs_of(columns: Iterable[str], path: Path) -> frozenset[int]:
    """Returns the epochs that columns are of, beside the last."""
    names = list(columns)
    after = {int(found[2]) for name in names if (found := _AFTER.fullmatch(name))}
    needed = [*PREDICTIONS, *(name for epochs in sorted(after) for name in columns_after(epochs))]
    if sorted(names) != sorted(needed):
        raise TableError(
            f"the predictions {path} have the columns {', '.join(names)}; needed: {', '.join(needed)}", _HINT
        )
    return frozenset(after)
