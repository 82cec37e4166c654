"""Imports tables of one's own, as CSV or Parquet: a row per cell, number of epochs and seed.

| column | |
|---|---|
| ``cell`` | key of the cell, as in every table; or instead the next two |
| ``adjacency`` | 0s and 1s of the upper triangular matrix, row after row |
| ``operations`` | ``input,conv3x3-bn-relu,...,output``: NAS-Bench-101's names, of every vertex |
| ``cell_hash`` | NAS-Bench-101's hash of the cell, which is compared with that of its graph; may be left out |
| ``epochs`` | of the training, from 1 |
| ``seed`` | 0 to 127 |
| ``valid_error``, ``test_error`` | shares in [0, 1] |
| ``train_error``, ``halfway_*_error`` | likewise, may be left out |
| ``cost_s``, ``halfway_cost_s`` | seconds above 0, may be left out |
| ``parameters`` | trainable weights, may be left out |

Every cell has a row for every seed and number of epochs that there is. Rows may be in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from metaopt.core.errors import TableError
from metaopt.core.system_errors import unreadable
from metaopt.tables.importers.evaluations import Evaluations
from metaopt.tables.importers.rules import Report
from metaopt.tables.importers.tabular_rows import HINT, Rows


def csv(file: Path, report: Report) -> tuple[Evaluations, dict[str, Any]]:
    """Reads a CSV file with the names of its columns in the first line.

    Args:
        file: The file, in UTF-8.
        report: Called with the bytes read and the bytes in all.

    Returns:
        All evaluations, and where they are from.

    Raises:
        TableError: if anything in it is not as the module says; names the line and the column.
    """

    def read() -> pa.Table:
        # One thread, or errors do not say where they are; texts, or what is not a number loses its line.
        names = pacsv.open_csv(file).schema.names
        return pacsv.read_csv(
            file,
            read_options=pacsv.ReadOptions(use_threads=False),
            parse_options=pacsv.ParseOptions(ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )

    return _import(file, report, read, lambda row: f"line {row + 2}")


def parquet(file: Path, report: Report) -> tuple[Evaluations, dict[str, Any]]:
    """Reads a Parquet file; see :func:`csv`. Errors name the row, from 1."""
    return _import(file, report, lambda: pq.ParquetFile(file).read(), lambda row: f"row {row + 1}")


def _import(
    file: Path, report: Report, read: Callable[[], pa.Table], place: Callable[[int], str]
) -> tuple[Evaluations, dict[str, Any]]:
    try:
        with open(file, "rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        rows = read()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(error, file, "cannot be read", HINT, TableError) from None
    size = file.stat().st_size
    report(size, size)
    evaluations = Rows(file, rows, place, report).evaluations()
    return evaluations, {"file": file.name, "bytes": size, "sha256": sha256, "rows": len(rows)}
