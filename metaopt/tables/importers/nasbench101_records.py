"""The records of NAS-Bench-101: one training each, read and checked some thousand at a time.

A record is a JSON array of the cell's hash, the number of epochs, the adjacency, the operations, and a ``ModelMetrics``
in base64 (Ying et al. 2019, released code, api.py).
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaopt.errors import TableError
from metaopt.tables.importers.protobuf import MessageError, Metrics, MetricsReader
from metaopt.tables.importers.published_cells import matrix, operations

EPOCHS = (4, 12, 36, 108)
AGAIN = "get the file again from its publisher"
_OTHER = "import nasbench_only108.tfrecord or nasbench_full.tfrecord of NAS-Bench-101"
_ENTRIES = {"hash": str, "epochs": int, "adjacency": str, "operations": str, "metrics": str}
_TYPES = list(_ENTRIES.values())
_HASH = re.compile("[0-9a-f]{32}")
_PARTS = ("train", "valid", "test")


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
    """Collects records, as columns.

    Args:
        file: What they come from, for errors.

    Attributes:
        file: What they come from.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._metrics, self._count = MetricsReader(), 0
        self._cells, self._adjacencies, self._operations = _Numbers(_check_hash), _Numbers(matrix), _Numbers(operations)
        # In pieces, so that putting together a column needs memory for that one only.
        self._columns: dict[str, list[NDArray[Any]]] = {}

    @property
    def hashes(self) -> list[str]:
        """All hashes, in the order in which they are first met; the column ``cell`` has their places."""
        return list(self._cells)

    @property
    def adjacencies(self) -> list[str]:
        """All adjacencies, likewise."""
        return list(self._adjacencies)

    @property
    def operations(self) -> list[str]:
        """All operations, likewise."""
        return list(self._operations)

    def take(self, name: str) -> NDArray[Any]:
        """Returns a column, one value per record, and forgets it.

        Args:
            name: ``cell``, ``epochs``, ``adjacency``, ``operations``, ``parameters`` or one of
                :data:`metaopt.tables.schema.MEASURES`.
        """
        return np.concatenate(self._columns.pop(name))

    def add(self, payloads: Sequence[bytes]) -> None:
        """Takes the next records.

        Raises:
            TableError: if one of them is not a record of NAS-Bench-101.
        """
        hashes, epochs, adjacencies, ops, encoded = self._decode(payloads)
        if not set(epochs) <= set(EPOCHS):
            index = next(index for index, number in enumerate(epochs) if number not in EPOCHS)
            raise self._bad(index, f"has {epochs[index]} epochs; allowed: {', '.join(map(str, EPOCHS))}")
        metrics = self._read(encoded)
        self._keep("cell", self._numbered(self._cells, hashes))
        self._keep("epochs", np.array(epochs, dtype=np.int16))
        self._keep("adjacency", self._numbered(self._adjacencies, adjacencies))
        self._keep("operations", self._numbered(self._operations, ops))
        self._keep("parameters", metrics.parameters.astype(np.int32))
        for time, prefix in enumerate(("halfway_", "")):
            for part, name in enumerate(_PARTS):
                self._keep(f"{prefix}{name}_error", (1 - metrics.accuracies[:, time, part]).astype(np.float32))
            self._keep(f"{prefix}cost_s", metrics.times_s[:, time].astype(np.float32))
        self._count += len(payloads)

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
        for values, name, top in ((metrics.accuracies, "an accuracy", 1.0), (metrics.times_s, "seconds", np.inf)):
            of_record = values.reshape(len(values), -1)
            wrong = ~((of_record >= 0) & (of_record <= top) & (of_record < np.inf))
            if wrong.any():
                index, place = (int(at) for at in np.argwhere(wrong)[0])
                raise self._bad(index, f"has {of_record[index, place]} as {name}; allowed: 0 to {top:g}")
        too_many = metrics.parameters > np.iinfo(np.int32).max
        if too_many.any():
            raise self._bad(int(np.argmax(too_many)), "has more trainable_parameters than 32 bits hold")
        return metrics

    def _unpacked(self, index: int, text: str) -> bytes:
        try:
            return binascii.a2b_base64(text)
        except ValueError as error:
            raise self._bad(index, f"has metrics that are not base64: {error}") from None

    def _numbered(self, numbers: _Numbers, column: Sequence[str]) -> NDArray[np.int32]:
        try:
            return np.array([numbers[text] for text in column], dtype=np.int32)
        except ValueError as error:
            # All before the one that its check refused have got their number.
            index = next(index for index, text in enumerate(column) if text not in numbers)
            raise self._bad(index, str(error)) from None

    def _bad(self, index: int, what: str, hint: str = AGAIN) -> TableError:
        return TableError(f"record {self._count + index + 1} of {self.file} {what}", hint)


def _check_hash(text: str) -> None:
    if not _HASH.fullmatch(text):
        raise ValueError(f"has the hash {text[:60]!r}; needed: 32 hexadecimal digits")


_TYPE_SETS = [{kind} for kind in _TYPES]
