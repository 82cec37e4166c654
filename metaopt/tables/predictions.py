"""What a surrogate says of every cell of a cell space, as a file: asked like a table, without the models behind it.

A cell space is finite, so a model's answers are kept and not the model: looking one up needs none of the packages that
fitted it, and gives the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.errors import TableError
from metaopt.paths import replacing
from metaopt.tables.schema import damaged

Floats = NDArray[np.float64]
PREDICTIONS = pa.schema(
    [
        ("cell", pa.string()),
        ("cell_hash", pa.string()),
        ("valid_error", pa.float32()),
        ("valid_error_std", pa.float32()),
        ("test_error", pa.float32()),
        ("test_error_std", pa.float32()),
    ]
)
_TYPES = dict(zip(PREDICTIONS.names, PREDICTIONS.types, strict=True))
_PROVENANCE = "metaopt"
_HINT = "fit it again: metaopt benchmark fit-surrogate"


@dataclass(frozen=True)
class Prediction:
    """What an ensemble says of one cell: means over its members, and their standard deviations; shares in [0, 1]."""

    valid_error: float
    valid_error_std: float
    test_error: float
    test_error_std: float


def write_predictions(path: Path, rows: pa.Table, provenance: Mapping[str, Any]) -> None:
    """Writes the columns :data:`PREDICTIONS` of all cells of a cell space, in any order; all of it or nothing.

    Errors are kept to five decimals, a thousandth of what models are wrong by: the file is a third smaller for it.
    """
    rows = rows.select(PREDICTIONS.names).sort_by("cell_hash")
    rounded = [rows[name] if pa.types.is_string(of) else pc.round(rows[name], 5) for name, of in _TYPES.items()]
    rows = pa.table(rounded, names=list(_TYPES)).cast(PREDICTIONS)
    rows = rows.replace_schema_metadata({_PROVENANCE: json.dumps(provenance)})
    with replacing(path) as partial:
        pq.write_table(rows, partial, compression="zstd", compression_level=19, write_page_checksum=True)


class Predictions:
    """Predictions of K cells.

    Args:
        path: A file that :func:`write_predictions` wrote.

    Attributes:
        path: The file.
        hashes: (K,) of the cells, ascending.
        valid_error: (K,) in [0, 1].
        test_error: (K,) in [0, 1].
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
        if rows.schema.names != PREDICTIONS.names:
            found, needed = ", ".join(rows.schema.names), ", ".join(PREDICTIONS.names)
            raise TableError(f"the predictions {path} have the columns {found}; needed: {needed}", _HINT)
        self.path = path
        self.hashes: NDArray[np.bytes_] = np.array(rows["cell_hash"].to_pylist(), dtype="S32")
        self._values = {name: rows[name].to_numpy().astype(float) for name in PREDICTIONS.names[2:]}
        self.valid_error: Floats = self._values["valid_error"]
        self.test_error: Floats = self._values["test_error"]
        if not all(((errors >= 0) & (errors <= 1)).all() for errors in self._values.values()):
            raise TableError(f"the predictions {path} hold errors that are not in [0, 1]", _HINT)

    def __len__(self) -> int:
        return len(self.hashes)

    def query(self, graph: CellGraph) -> Prediction:
        """Returns what is predicted for a cell.

        Raises:
            TableError: if there is no prediction for it.
        """
        wanted = np.bytes_(graph.hash)
        row = int(np.searchsorted(self.hashes, wanted))
        if row == len(self.hashes) or self.hashes[row] != wanted:
            raise TableError(f"the predictions {self.path} have none of the cell {graph.key}", "use its cell space")
        return Prediction(*(float(values[row]) for values in self._values.values()))
