"""Every trial of every run, row by row, as long as one likes: what is answered is given on and not kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from metaopt.report.data.load import Evaluation, RunData, evaluations_of, heads
from metaopt.report.export.table import COLUMNS, column, row, type_of, write_csv_rows
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import RunHeader
from metaopt.runs.journal import asked_configs

#: Rows that are in memory at a time.
_BATCH = 10_000


class TrialRows:
    """The trials of some runs, as :func:`metaopt.report.export.table.trial_table` has them, in batches of rows.

    The journals are read twice: what columns there are, and of which types, is known only at the end of them.

    Args:
        folders: Of the runs.

    Attributes:
        schema: Columns and their types.

    Raises:
        RunError: if a folder is missing or is no run folder.
        JournalError: here or later, if a journal is damaged elsewhere than in its last line.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._runs = heads(folders)
        kinds: defaultdict[str, set[type]] = defaultdict(set)
        for folder, _ in self._runs:
            place = RunFolder(folder)
            for journal in (place.journal, *([place.confirmation.journal] if place.confirmation.begun else [])):
                for config in asked_configs(journal):
                    for name, value in config.items():
                        kinds[name].add(type(value))
        self.schema = pa.schema(COLUMNS | {f"config.{name}": type_of(kinds[name]) for name in sorted(kinds)})

    def __iter__(self) -> Iterator[pa.Table]:
        rows = (row(run, phase, evaluation) for run, phase, evaluation in self._evaluations())
        while batch := list(islice(rows, _BATCH)):
            yield pa.Table.from_arrays([column(batch, field) for field in self.schema], schema=self.schema)

    def _evaluations(self) -> Iterator[tuple[RunData, str, Evaluation]]:
        for folder, run in self._runs:
            place, record = RunFolder(folder), RunHeader.of(run.header)
            for found in evaluations_of(place, place.story(), record):
                yield run, "tune", found
            if place.confirmation.begun:
                for found in evaluations_of(place.confirmation, place.confirmation.story(), record):
                    yield run, "confirm", found


def write_csv(folders: Sequence[Path], file: Path) -> None:
    """Writes a row per trial into a file, see :func:`metaopt.report.export.table.to_csv`."""
    rows = TrialRows(folders)
    with open(file, "w", encoding="utf-8", newline="") as text:
        write_csv_rows(text, rows.schema.names, rows)


def write_parquet(folders: Sequence[Path], file: Path) -> None:
    """Writes the same rows with their types."""
    rows = TrialRows(folders)
    with open(file, "wb") as sink, pq.ParquetWriter(sink, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_table(batch)
