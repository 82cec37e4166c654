"""What a table holds: one row per cell, seed and number of epochs, as Parquet with its provenance beside the rows.

Every column is explained in the benchmark's card.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from metaopt.errors import TableError
from metaopt.paths import write_atomically

SCHEMA = pa.schema(
    [
        ("cell", pa.string()),
        ("cell_hash", pa.string()),
        ("seed", pa.int8()),
        ("epochs", pa.int16()),
        ("train_error", pa.float32()),
        ("valid_error", pa.float32()),
        ("test_error", pa.float32()),
        ("cost_s", pa.float32()),
        ("parameters", pa.int32()),
    ]
)
_PROVENANCE = b"metaopt"


def write_table(path: Path, rows: pa.Table, provenance: Mapping[str, Any]) -> None:
    """Writes rows of :data:`SCHEMA` and, in the file's metadata, how they were made; all of it or nothing."""
    rows = rows.cast(SCHEMA).replace_schema_metadata({_PROVENANCE: json.dumps(provenance)})
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd", compression_level=19)
    write_atomically(path, buffer.getvalue())


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Reads rows and provenance.

    Raises:
        TableError: if the file is missing, damaged, or has not the columns of :data:`SCHEMA`.
    """
    if not path.is_file():
        raise TableError(f"there is no table {path}", f"build it: metaopt benchmark build {path.stem.split('-')[0]}")
    try:
        rows = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(
            f"the table {path} cannot be read, it is damaged or not Parquet: {str(error).splitlines()[0]}",
            "install it again, or build it again under another --out",
        ) from None
    if not rows.schema.equals(SCHEMA):
        raise TableError(
            f"the table {path} has the columns {', '.join(rows.schema.names)}; needed: {', '.join(SCHEMA.names)}",
            "metaopt benchmark info explains the columns",
        )
    try:
        return rows, json.loads((rows.schema.metadata or {}).get(_PROVENANCE, b"{}"))
    except ValueError as error:
        raise TableError(f"the provenance in the table {path} is not JSON: {error}", "build it again") from None
