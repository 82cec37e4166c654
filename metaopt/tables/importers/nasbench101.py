"""Imports NAS-Bench-101 as it was published: ``nasbench_only108.tfrecord`` or ``nasbench_full.tfrecord``.

Trainings of a cell are told apart by their order in the file alone, which numbers the seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.errors import TableError
from metaopt.tables.importers.evaluations import Evaluations, spaces_of
from metaopt.tables.importers.nasbench101_records import AGAIN, Records
from metaopt.tables.importers.published_cells import HashSample, graph, key, wrong_hash
from metaopt.tables.importers.tfrecord import RecordFile, Report
from metaopt.tables.schema import MEASURES

#: SHA-256 of the published files.
PUBLISHED = {
    "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1": "nasbench_only108.tfrecord",
    "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c": "nasbench_full.tfrecord",
}
_Read = TypeVar("_Read")
_EVERY_CELL = HashSample(first=25_000, every=0)
_OF_MANY = HashSample(first=5_000, every=20)


def nasbench101(file: Path, report: Report, sample: HashSample | None = None) -> tuple[Evaluations, dict[str, Any]]:
    """Reads a published file.

    Args:
        file: The TFRecord file.
        report: Called with the bytes read and the bytes in all.
        sample: Cells whose stored hash is compared with that of their graph; None: all of up to 25,000, else the
            first 5,000 and one in twenty.

    Returns:
        All evaluations, and where they are from.

    Raises:
        TableError: if the file is damaged, incomplete or another; names the record or the cell.
    """
    started, frames, records = time.monotonic(), RecordFile(file, report), Records(file)
    for payloads in frames.batches():
        records.add(payloads)
    read_s = time.monotonic() - started
    cells = _Cells(records)
    if sample is None:
        sample = _EVERY_CELL if len(cells.hashes) <= _EVERY_CELL.first else _OF_MANY
    verified = cells.verify(sample)
    return _evaluations(records, cells), {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": frames.sha256,
        "published_as": PUBLISHED.get(frames.sha256),
        "records": frames.records,
        "hashes_verified": verified,
        "hash_sample": str(sample),
        "read_s": round(read_s, 1),
    }


class _Cells:
    """The K cells of n records.

    Args:
        records: All of them.

    Attributes:
        hashes: (K,) in the order in which they are first met.
        of_record: (n,) number of the cell.
        first: (K,) the first record of each.
    """

    def __init__(self, records: Records) -> None:
        self._file = records.file
        self.hashes, self._adjacencies, self._operations = records.hashes, records.adjacencies, records.operations
        self.of_record = records.take("cell")
        self._adjacency, self._ops = records.take("adjacency"), records.take("operations")
        self.first = np.unique(self.of_record, return_index=True)[1]

    def key(self, cell: int) -> str:
        """Returns the key of a cell's graph."""
        return self._spelled(key, int(self.first[cell]))

    def verify(self, sample: HashSample) -> int:
        """Verifies hashes of a sample of the cells, and of all that two records spell in different ways.

        Returns:
            The size of the sample.

        Raises:
            TableError: if one is wrong.
        """
        adjacency, ops = (values[self.first][self.of_record] for values in (self._adjacency, self._ops))
        for row in np.flatnonzero((self._adjacency != adjacency) | (self._ops != ops)).tolist():
            own, stored = self._spelled(graph, row), self.hashes[self.of_record[row]]
            if own.hash != stored:
                raise wrong_hash(stored, own.hash, own.key, f"record {row + 1} of {self._file}")
        return sample.verify(len(self.hashes), self.hashes.__getitem__, self._graph, str(self._file))

    def _graph(self, cell: int) -> CellGraph:
        return self._spelled(graph, int(self.first[cell]))

    def _spelled(self, read: Callable[[str, str], _Read], row: int) -> _Read:
        try:
            return read(self._adjacencies[self._adjacency[row]], self._operations[self._ops[row]])
        except ValueError as error:
            raise TableError(f"record {row + 1} of {self._file} {error}", AGAIN) from None

    def trainings(self, epochs: NDArray[np.intp], numbers: list[int]) -> int:
        """Returns how often every cell was trained for every number of epochs.

        Args:
            epochs: (n,) which of ``numbers`` a record is of.
            numbers: (E,) of epochs.

        Raises:
            TableError: if one has fewer trainings than others.
        """
        shape = len(self.hashes), len(numbers)
        counts = np.bincount(self.of_record * shape[1] + epochs, minlength=shape[0] * shape[1]).reshape(shape)
        most = int(counts.max())
        if (lacking := counts.min(axis=1) < most).any():
            cell = int(np.argmax(lacking))
            there = ", ".join(f"{n} after {e} epochs" for n, e in zip(counts[cell], numbers, strict=True))
            raise TableError(
                f"{self._file} is an incomplete file: {lacking.sum():,} of {shape[0]:,} cells lack trainings; "
                f"the cell {self.hashes[cell]} has {there}; others {most} after each",
                AGAIN,
            )
        return most


def _evaluations(records: Records, cells: _Cells) -> Evaluations:
    """Puts the records in the order of a table."""
    of_record = records.take("epochs")
    numbers = np.unique(of_record).tolist()
    epochs = np.searchsorted(numbers, of_record)
    seeds = cells.trainings(epochs, numbers)
    order = np.argsort(np.array(cells.hashes, dtype="S32"))
    # A stable sort keeps the order of the file among the trainings of a cell for one number of epochs.
    rows = np.argsort(np.argsort(order)[cells.of_record] * len(numbers) + epochs, kind="stable")
    rows = rows.reshape(len(order), len(numbers), seeds).transpose(0, 2, 1)
    hashes, keys = np.array(cells.hashes, dtype="S32")[order], [cells.key(cell) for cell in order.tolist()]
    return Evaluations(
        hashes,
        keys,
        spaces_of(hashes, keys),
        tuple(range(seeds)),
        tuple(numbers),
        {name: records.take(name)[rows] for name in MEASURES},
        records.take("parameters")[cells.first[order]],
    )
