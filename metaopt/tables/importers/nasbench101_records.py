"""The records of NAS-Bench-101: one training each, read and checked some thousand at a time.

A record is a JSON array of the cell's hash, the number of epochs, the adjacency, the operations, and a ``ModelMetrics``
in base64 (Ying et al. 2019, released code, api.py).
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.core.errors import TableError
from metaopt.tables.importers.protobuf import MessageError, Metrics, MetricsReader
from metaopt.tables.importers.published_cells import graph, matrix, operations
from metaopt.tables.importers.rules import ALLOWED, check_hash, fingerprints, impossible, refused

EPOCHS = (4, 12, 36, 108)
AGAIN = "get the file again from its publisher"
_OTHER = "import nasbench_only108.tfrecord or nasbench_full.tfrecord of NAS-Bench-101"
_ENTRIES = {"hash": str, "epochs": int, "adjacency": str, "operations": str, "metrics": str}
_TYPES = list(_ENTRIES.values())
_HASH = re.compile("[0-9a-f]{32}")
_PARTS = ("train", "valid", "test")
#: Of the epochs, at the evaluations that count; and by how much of them a message may differ, as steps are whole.
_SHARES, _EPOCHS_OFF = np.array([0.5, 1.0]), 0.1


class _Numbers(dict[str, int]):
    """Numbers texts in the order in which they are first met, and checks each of them then.

    Args:
        check: Raises ValueError for what is not allowed.
    """

    def __init__(self, check: Callable[[str], object]) -> None:
        super().__init__()
        self._check = check

    def __missing__(self, text: str) -> int:
        self._check(text)
        number = self[text] = len(self)
        return number


class Records:
    """Collects records, as columns, and their cells.

    Args:
        file: What they come from, for errors.

    Attributes:
        file: What they come from.
        hashes: Of the cells, in the order in which they are first met; the column ``cell`` has their places.
        keys: Of their graphs, likewise.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.hashes, self.keys = list[str](), list[str]()
        self._metrics, self._count = MetricsReader(), 0
        self._cells, self._adjacencies, self._operations = dict[str, int](), _Numbers(matrix), _Numbers(operations)
        # How each cell is spelled where it is first met, and other ways.
        self._spelled, self._others = list[tuple[int, int]](), set[tuple[int, tuple[int, int]]]()
        # In pieces, so that putting together a column needs memory for that one only.
        self._columns: dict[str, list[NDArray[Any]]] = {}

    def take(self, name: str) -> NDArray[Any]:
        """Returns a column, one value per record, and forgets it.

        Args:
            name: ``cell``, ``epochs``, ``parameters``, ``fingerprint``, which tells one training of a cell from
                another, or one of :data:`metaopt.tables.schema.MEASURES`.
        """
        return np.concatenate(self._columns.pop(name))

    def add(self, payloads: Sequence[bytes]) -> None:
        """Takes the next records, and computes the hash of every cell that is new among them.

        Raises:
            TableError: if one of them is not a record of NAS-Bench-101, or if a hash is not that of its graph.
        """
        hashes, epochs, adjacencies, ops, encoded = self._decode(payloads)
        if not set(epochs) <= set(EPOCHS):
            index = next(index for index, number in enumerate(epochs) if number not in EPOCHS)
            raise self._bad(index, f"has {epochs[index]} epochs; allowed: {', '.join(map(str, EPOCHS))}")
        metrics = self._read(encoded)
        trained = np.array(epochs, dtype=np.int16)
        self._check_epochs(trained, metrics.epochs)
        self._keep("cell", self._numbered(zip(hashes, adjacencies, ops, strict=True), len(hashes)))
        self._keep("epochs", trained)
        self._keep("parameters", metrics.parameters.astype(np.int32))
        values = np.concatenate([metrics.accuracies.reshape(-1, 6), metrics.times_s], axis=1)
        self._keep("fingerprint", fingerprints([trained.astype(np.int64), *values.T]))
        for time, prefix in enumerate(("halfway_", "")):
            for part, name in enumerate(_PARTS):
                self._keep(f"{prefix}{name}_error", (1 - metrics.accuracies[:, time, part]).astype(np.float32))
            self._keep(f"{prefix}cost_s", metrics.times_s[:, time].astype(np.float32))
        self._count += len(payloads)

    def _check_epochs(self, trained: NDArray[np.int16], said: NDArray[np.float64]) -> None:
        """Checks that the metrics are of as many epochs as the record says, where they tell; steps end within one."""
        wanted = trained[:, None] * _SHARES
        wrong = np.abs(said - wanted) > _EPOCHS_OFF * wanted
        if wrong.any():
            index, time = (int(at) for at in np.argwhere(wrong)[0])
            when = ("halfway", "at the end")[time]
            raise self._bad(index, f"has {trained[index]} epochs, and metrics of {said[index, time]:g} {when}")

    def _keep(self, name: str, values: NDArray[Any]) -> None:
        self._columns.setdefault(name, []).append(values)

    def _decode(self, payloads: Sequence[bytes]) -> list[tuple[Any, ...]]:
        """Returns the five entries of all records, each of its type; reads all as one JSON text, which is faster."""
        try:
            records = json.loads(b"[" + b",".join(payloads) + b"]")
            columns = list(zip(*records, strict=True))
            if len(records) == len(payloads) and [set(map(type, column)) for column in columns] == _TYPE_SETS:
                return columns
        except (ValueError, TypeError, RecursionError):
            pass  # one of them is no record; reading each alone shows which
        return list(zip(*(self._decode_one(index, payload) for index, payload in enumerate(payloads)), strict=True))

    def _decode_one(self, index: int, payload: bytes) -> list[Any]:
        try:
            record = json.loads(payload)
        except (ValueError, RecursionError):
            raise self._bad(index, f"is not JSON: {payload[:40]!r}", _OTHER) from None
        if not isinstance(record, list) or [type(entry) for entry in record] != _TYPES:
            needed = ", ".join(f"{name} ({kind.__name__})" for name, kind in _ENTRIES.items())
            raise self._bad(index, f"is {payload[:40]!r}; needed: an array of {needed}", _OTHER)
        return record

    def _read(self, encoded: Sequence[str]) -> Metrics:
        try:
            metrics = self._metrics.read([self._unpacked(index, text) for index, text in enumerate(encoded)])
        except MessageError as error:
            raise self._bad(error.index, error.text) from None
        for name, kind, values in (
            ("an accuracy", "share", metrics.accuracies),
            ("seconds", "seconds", metrics.times_s),
        ):
            of_record = values.reshape(len(values), -1)
            if (wrong := impossible(of_record, kind)).any():
                index, place = (int(at) for at in np.argwhere(wrong)[0])
                raise self._bad(index, f"has {of_record[index, place]} as {name}; allowed: {ALLOWED[kind]}")
        too_many = metrics.parameters > np.iinfo(np.int32).max
        if too_many.any():
            raise self._bad(int(np.argmax(too_many)), "has more trainable_parameters than 32 bits hold")
        return metrics

    def _unpacked(self, index: int, text: str) -> bytes:
        try:
            return binascii.a2b_base64(text)
        except ValueError as error:
            raise self._bad(index, f"has metrics that are not base64: {error}") from None

    def _numbered(self, cells: Iterable[tuple[str, str, str]], n: int) -> NDArray[np.int32]:
        found = np.empty(n, dtype=np.int32)
        for index, spelled in enumerate(cells):
            try:
                found[index] = self._number(*spelled)
            except ValueError as error:
                raise self._bad(index, str(error)) from None
        return found

    def _number(self, cell_hash: str, adjacency: str, ops: str) -> int:
        """Returns the number of a cell; checks it where it is new, or spelled in a new way.

        Raises:
            ValueError: if it is not a cell, or if the hash is another's; says so without a subject.
        """
        spelled = self._adjacencies[adjacency], self._operations[ops]
        number = self._cells.get(cell_hash)
        if number is not None and (self._spelled[number] == spelled or (number, spelled) in self._others):
            return number
        if not _HASH.fullmatch(cell_hash):
            raise ValueError(f"has the hash {cell_hash[:60]!r}; needed: 32 hexadecimal digits")
        cell = graph(adjacency, ops)
        check_hash(cell_hash, cell)
        if number is not None:
            self._others.add((number, spelled))
            return number
        self._cells[cell_hash] = len(self.hashes)
        self.hashes.append(cell_hash)
        self.keys.append(cell.key)
        self._spelled.append(spelled)
        return len(self.hashes) - 1

    def _bad(self, index: int, what: str, hint: str = AGAIN) -> TableError:
        """Returns the error of a record.

        Args:
            index: Of the records that :meth:`add` is about to take.
            what: What is wrong, without a subject.
            hint: The next step.
        """
        return refused(self.file, f"record {self._count + index + 1}", what, hint)


_TYPE_SETS = [{kind} for kind in _TYPES]
