"""Imports NAS-Bench-101 as it was published: ``nasbench_only108.tfrecord`` or ``nasbench_full.tfrecord``.

Trainings of a cell differ by their order in the file only, which numbers the seeds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.core.errors import TableError
from metaopt.tables.importers.evaluations import Evaluations, spaces_of
from metaopt.tables.importers.nasbench101_records import AGAIN, Records
from metaopt.tables.importers.rules import Report, differing, refused, same_training
from metaopt.tables.importers.tfrecord import RecordFile
from metaopt.tables.schema import MEASURES

#: SHA-256 of the published files.
PUBLISHED = {
    "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1": "nasbench_only108.tfrecord",
    "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c": "nasbench_full.tfrecord",
}


def nasbench101(file: Path, report: Report) -> tuple[Evaluations, dict[str, Any]]:
    """Reads a published file; the hash of every cell is computed on the way.

    Args:
        file: The TFRecord file.
        report: Called with the bytes read and the bytes in all.

    Returns:
        All evaluations, and where they are from.

    Raises:
        TableError: if the file is damaged, incomplete or another; names the record or the cell.
    """
    started, frames, records = time.monotonic(), RecordFile(file, report), Records(file)
    for payloads in frames.batches():
        records.add(payloads)
    read_s = time.monotonic() - started
    return _evaluations(records), {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": frames.sha256,
        "published_as": PUBLISHED.get(frames.sha256),
        "records": frames.records,
        "hashes_verified": len(records.hashes),
        "read_s": round(read_s, 1),
    }


class _Cells:
    """The K cells of n records.

    Args:
        records: All of them.

    Attributes:
        of_record: (n,) number of the cell.
        first: (K,) the first record of each.

    Raises:
        TableError: if records of one cell differ in its weights, or if two are of the same training.
    """

    def __init__(self, records: Records) -> None:
        self._file, self._hashes = records.file, records.hashes
        self.of_record = records.take("cell")
        self.first = np.unique(self.of_record, return_index=True)[1]
        self.parameters = records.take("parameters")
        if (pair := differing(self.of_record, self.parameters)) is not None:
            here, there = (int(self.parameters[row]) for row in pair)
            what = f"has {here} trainable_parameters; record {pair[1] + 1}, of the same cell, has {there}"
            raise self._bad(pair[0], what)
        if (pair := same_training(self.of_record, records.take("fingerprint"))) is not None:
            raise self._bad(pair[1], f"is of the same training as record {pair[0] + 1}: every value is the same")

    def _bad(self, row: int, what: str) -> TableError:
        return refused(self._file, f"record {row + 1}", what, AGAIN)

    def trainings(self, epochs: NDArray[np.intp], numbers: list[int]) -> int:
        """Returns how often every cell was trained for every number of epochs.

        Args:
            epochs: (n,) which of ``numbers`` a record is of.
            numbers: (E,) of epochs.

        Raises:
            TableError: if one has fewer trainings than others.
        """
        shape = len(self._hashes), len(numbers)
        counts = np.bincount(self.of_record * shape[1] + epochs, minlength=shape[0] * shape[1]).reshape(shape)
        most = int(counts.max())
        if (lacking := counts.min(axis=1) < most).any():
            cell = int(np.argmax(lacking))
            there = ", ".join(f"{n} after {e} epochs" for n, e in zip(counts[cell], numbers, strict=True))
            raise TableError(
                f"{self._file} is an incomplete file: {lacking.sum():,} of {shape[0]:,} cells lack trainings; "
                f"the cell {self._hashes[cell]} has {there}; others {most} after each",
                AGAIN,
            )
        return most


def _evaluations(records: Records) -> Evaluations:
    """Puts the records in the order of a table."""
    cells = _Cells(records)
    of_record = records.take("epochs")
    numbers = np.unique(of_record).tolist()
    epochs = np.searchsorted(numbers, of_record)
    seeds = cells.trainings(epochs, numbers)
    order = np.argsort(np.array(records.hashes, dtype="S32"))
    # A stable sort keeps the order of the file among the trainings of a cell for one number of epochs.
    rows = np.argsort(np.argsort(order)[cells.of_record] * len(numbers) + epochs, kind="stable")
    rows = rows.reshape(len(order), len(numbers), seeds).transpose(0, 2, 1)
    hashes, keys = np.array(records.hashes, dtype="S32")[order], [records.keys[cell] for cell in order.tolist()]
    return Evaluations(
        hashes,
        keys,
        spaces_of(hashes, keys),
        tuple(range(seeds)),
        tuple(numbers),
        {name: records.take(name)[rows] for name in MEASURES},
        cells.parameters[cells.first[order]],
    )
