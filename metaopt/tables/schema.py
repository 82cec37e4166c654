"""What a table holds: one row per cell, seed and number of epochs, as Parquet with its provenance beside the rows.

Rows are ordered by the cell's hash, then seed, then epochs. Every cell has the same seeds and epochs, unless the
provenance says with :data:`UNEVEN` that some were trained with more seeds than others. They stand in row groups of
:data:`GROUP_CELLS` cells, so that one cell is found without reading the others. A benchmark's card explains every
column.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from metaopt.core.errors import MetaoptError, TableError
from metaopt.core.paths import replacing
from metaopt.core.system_errors import explaining, unreadable
from metaopt.core.wording import command

#: What a row may tell of an evaluation; errors are shares in [0, 1], ``halfway`` is after half of the epochs.
MEASURES = (
    "train_error",
    "valid_error",
    "test_error",
    "cost_s",
    "halfway_train_error",
    "halfway_valid_error",
    "halfway_test_error",
    "halfway_cost_s",
)
#: All columns in their order.
SCHEMA = pa.schema(
    [
        ("cell", pa.string()),
        ("cell_hash", pa.string()),
        ("cell_spaces", pa.uint8()),
        ("seed", pa.int8()),
        ("epochs", pa.int16()),
        *((measure, pa.float32()) for measure in MEASURES),
        ("parameters", pa.int32()),
    ]
)
#: Columns that every table has.
REQUIRED = ("cell", "cell_hash", "seed", "epochs", "valid_error", "test_error")
#: Cells per row group: one is read in milliseconds, and there are few enough of them.
GROUP_CELLS = 4096
#: Entry of the provenance of a table whose cells have different numbers of seeds; every cell has the first seed.
UNEVEN = "again"
_ORDER = [("cell_hash", "ascending"), ("seed", "ascending"), ("epochs", "ascending")]
_PROVENANCE = "metaopt"


def write_table(path: Path, rows: pa.Table, provenance: Mapping[str, Any], *, new: bool = False) -> None:
    """Writes rows in any order and, in the file's metadata, how they were made; all of it or nothing.

    Args:
        path: The file.
        rows: Columns of :data:`SCHEMA`, all of :data:`REQUIRED` among them.
        provenance: Plain JSON values.
        new: Whether there must not be such a file yet, also when all is written.

    Raises:
        TableError: if the file cannot be written.
    """
    rows = rows.sort_by(_ORDER)
    rows_of_cells = rows["cell_hash"].combine_chunks().value_counts().field("counts").to_numpy()
    ends = [0, *np.cumsum(rows_of_cells)[GROUP_CELLS - 1 :: GROUP_CELLS].tolist(), len(rows)]
    cuts = [(start, end - start) for start, end in itertools.pairwise(ends) if end > start]
    write_groups(path, (rows.slice(start, size) for start, size in cuts), provenance, new=new)


def write_groups(path: Path, groups: Iterable[pa.Table], provenance: Mapping[str, Any], *, new: bool = False) -> None:
    """Writes rows that come group by group in their order, for tables that are too large to be in memory at once.

    Args:
        path: The file.
        groups: At least one; the same columns in each, whole cells in each, :data:`GROUP_CELLS` of them in all but the
            last.
        provenance: Plain JSON values.
        new: Whether there must not be such a file yet, also when all is written.

    Raises:
        TableError: if the file cannot be written.
    """
    with (
        explaining(f"cannot write a table to {path}", "name another file with --out", TableError),
        replacing(path, new=new) as partial,
    ):
        writer: pq.ParquetWriter | None = None
        for group in groups:
            if writer is None:
                schema = pa.schema([field for field in SCHEMA if field.name in group.schema.names])
                writer = pq.ParquetWriter(
                    partial, schema, compression="zstd", compression_level=19, write_page_checksum=True
                )
            writer.write_table(group.select(schema.names).cast(schema), row_group_size=len(group))
        if writer is None:
            raise ValueError("a table needs at least one row")
        writer.add_key_value_metadata({_PROVENANCE: json.dumps(provenance)})
        writer.close()


def open_table(path: Path) -> tuple[pq.ParquetFile, dict[str, Any]]:
    """Opens a table and reads its provenance, but no row yet.

    Raises:
        TableError: if the file is missing, damaged, or has other columns than :data:`SCHEMA` and :data:`REQUIRED` say.
    """
    if not path.is_file():
        build = command("benchmark", "build", path.stem.split("-")[0])
        raise TableError(f"there is no table {path}", f"build it: {build}")
    try:
        file = pq.ParquetFile(path, memory_map=True, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from None
    columns = file.schema_arrow
    if not set(REQUIRED) <= set(columns.names) or any(field not in list(SCHEMA) for field in columns):
        raise TableError(
            f"the table {path} has the columns {', '.join(columns.names)}; needed: {', '.join(REQUIRED)}; "
            f"allowed: {', '.join(SCHEMA.names)}",
            "metaopt benchmark info explains the columns, metaopt benchmark import converts tables",
        )
    try:
        return file, json.loads((file.metadata.metadata or {}).get(_PROVENANCE.encode(), b"{}"))
    except ValueError as error:
        raise TableError(f"the provenance in the table {path} is not JSON: {error}", "build it again") from None


def damaged(path: Path, error: Exception) -> MetaoptError:
    """Returns the error of a table that cannot be read."""
    hint = "install it again, or build it again under another --out"
    return unreadable(error, f"the table {path}", "cannot be read, it is damaged or not Parquet", hint, TableError)
