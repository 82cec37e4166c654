"""Reads NAS-Bench-101's ``ModelMetrics`` out of protobuf's wire format, many messages at a time.

A message is ``evaluation_data`` (field 1, three times: at the start, halfway, at the end), ``trainable_parameters`` (2)
and more that is not needed. ``evaluation_data`` has ``current_epoch`` (1), ``training_time`` (2), ``train_accuracy``
(3), ``validation_accuracy`` (4), ``test_accuracy`` (5), all of them doubles (Ying et al. 2019, released code,
model_metrics.proto).

Messages of one writer differ in their values and not in their structure. So the fields of one are looked for byte by
byte, which gives a :class:`Layout`; others of the same length are compared with it, and read, all at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metaopt.core.arrays import Floats

Bytes = NDArray[np.uint8]
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_KINDS = {_VARINT: "a varint", _FIXED64: "64 bits", _DELIMITED: "bytes with their length", _FIXED32: "32 bits"}
_EVALUATION, _PARAMETERS = 1, 2
_TIMES = ("start", "halfway", "end")
#: Fields of ``evaluation_data`` in the order of :attr:`Metrics.accuracies` and :attr:`Metrics.times_s`.
_DOUBLES = {3: "train_accuracy", 4: "validation_accuracy", 5: "test_accuracy", 2: "training_time"}
#: One that a message may lack: how long the training was at the time of an evaluation.
_EPOCH = 1
#: Layouts kept per length of message; files of one writer have one.
_LAYOUTS_KEPT = 16
_LONGEST_VARINT = 10
_LONGEST_INT32 = 5


class MessageError(ValueError):
    """A message that is not what it should be.

    Args:
        index: Which of the messages.
        text: What is wrong with it, without a subject.
    """

    def __init__(self, index: int, text: str) -> None:
        super().__init__(index, text)
        self.index, self.text = index, text


@dataclass(frozen=True)
class Metrics:
    """What n messages say, first halfway and then at the end.

    Attributes:
        accuracies: (n, 2, 3) of training, validation and test.
        times_s: (n, 2) seconds of training.
        parameters: (n,) trainable weights.
        epochs: (n, 2) trained until then; NaN where a message does not say.
    """

    accuracies: Floats
    times_s: Floats
    parameters: NDArray[np.int64]
    epochs: Floats


@dataclass(frozen=True)
class Layout:
    """Where the fields of a message of L bytes are.

    Attributes:
        mask: (L,) bits that tell where fields are, and not what they hold.
        bits: (L,) what they are.
        doubles: (8 * 8,) positions of the bytes of the values, 4 of halfway and 4 of the end.
        parameters: (at most 5,) positions of the bytes of a varint.
        epochs: (8 * 2,) positions of the bytes of ``current_epoch``; empty where a message lacks one.
    """

    mask: Bytes
    bits: Bytes
    doubles: NDArray[np.intp]
    parameters: NDArray[np.intp]
    epochs: NDArray[np.intp]

    @classmethod
    def of(cls, message: bytes) -> Layout:
        """Looks for the fields of a message.

        Raises:
            ValueError: if it is not in the wire format, or lacks a field.
        """
        mask, evaluations, parameters = bytearray(len(message)), list[dict[int, int]](), range(0)
        for field, wire, start, end in _fields(message, mask, 0, len(message)):
            if field == _EVALUATION:
                _demand(wire, _DELIMITED, "evaluation_data")
                evaluations.append(_doubles(message, mask, start, end))
            elif field == _PARAMETERS:
                _demand(wire, _VARINT, "trainable_parameters")
                parameters = range(start, end)
        if len(evaluations) != len(_TIMES):
            raise ValueError(f"has {len(evaluations)} evaluations; needed: {len(_TIMES)}, {', '.join(_TIMES)}")
        if not 0 < len(parameters) <= _LONGEST_INT32:
            raise ValueError("has no trainable_parameters, or a negative number of them")
        for time, found in zip(_TIMES[1:], evaluations[1:], strict=True):
            if lacking := [name for field, name in _DOUBLES.items() if field not in found]:
                raise ValueError(f"has no {', '.join(lacking)} in evaluation_data ({time})")
        starts = [found[field] for found in evaluations[1:] for field in _DOUBLES]
        epochs = [found[_EPOCH] for found in evaluations[1:] if _EPOCH in found]
        of_mask = np.frombuffer(bytes(mask), np.uint8)
        return cls(
            of_mask,
            of_mask & np.frombuffer(message, np.uint8),
            _bytes_of(starts),
            np.array(parameters),
            _bytes_of(epochs if len(epochs) == len(_TIMES[1:]) else []),
        )

    def fits(self, messages: Bytes) -> NDArray[np.bool_]:
        """Says which of the messages, (n, L), are laid out like this."""
        fitting: NDArray[np.bool_] = ((messages & self.mask) == self.bits).all(axis=1)
        return fitting

    def read(self, messages: Bytes) -> tuple[Floats, NDArray[np.int64], Floats | float]:
        """Returns the doubles, (n, 2, 4), the parameters, (n,), and the epochs, (n, 2), of messages that fit."""
        doubles = np.ascontiguousarray(messages[:, self.doubles]).view("<f8").reshape(-1, 2, len(_DOUBLES))
        epochs = np.ascontiguousarray(messages[:, self.epochs]).view("<f8") if len(self.epochs) else np.nan
        digits = (messages[:, self.parameters] & 0x7F).astype(np.int64)
        return doubles, digits @ (1 << 7 * np.arange(len(self.parameters))), epochs


class MetricsReader:
    """Reads messages and remembers their layouts."""

    def __init__(self) -> None:
        self._layouts = defaultdict[int, list[Layout]](list)

    def read(self, messages: Sequence[bytes]) -> Metrics:
        """Returns what ``ModelMetrics`` messages say.

        Raises:
            MessageError: for the first of some length that is not in the wire format, or lacks a field.
        """
        doubles = np.empty((len(messages), 2, len(_DOUBLES)))
        parameters, epochs = np.empty(len(messages), dtype=np.int64), np.empty((len(messages), 2))
        lengths = np.fromiter(map(len, messages), dtype=np.int64, count=len(messages))
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            joined = b"".join(messages[row] for row in rows.tolist())
            content = np.frombuffer(joined, np.uint8).reshape(len(rows), length)
            for layout, fitting in self._laid_out(length, content, rows):
                at = rows[fitting]
                doubles[at], parameters[at], epochs[at] = layout.read(content[fitting])
        return Metrics(doubles[:, :, :3], doubles[:, :, 3], parameters, epochs)

    def _laid_out(
        self, length: int, content: Bytes, rows: NDArray[np.intp]
    ) -> Iterator[tuple[Layout, NDArray[np.intp]]]:
        """Yields layouts with the messages that fit them, until each has one."""
        known, left = self._layouts[length], np.arange(len(content))
        for layout in list(known):
            fitting = layout.fits(content[left])
            yield layout, left[fitting]
            left = left[~fitting]
        while len(left):
            try:
                layout = Layout.of(content[left[0]].tobytes())
            except ValueError as error:
                raise MessageError(int(rows[left[0]]), str(error)) from None
            known[_LAYOUTS_KEPT - 1 :] = [layout]
            fitting = layout.fits(content[left])
            yield layout, left[fitting]
            left = left[~fitting]


def _doubles(message: bytes, mask: bytearray, start: int, end: int) -> dict[int, int]:
    """Returns where the doubles of an ``evaluation_data`` are; of a field that is there twice, the last one counts."""
    found = {}
    for field, wire, at, _ in _fields(message, mask, start, end):
        if field in _DOUBLES or field == _EPOCH:
            _demand(wire, _FIXED64, _DOUBLES.get(field, "current_epoch"))
            found[field] = at
    return found


def _bytes_of(starts: Sequence[int]) -> NDArray[np.intp]:
    """Returns the positions of the bytes of doubles."""
    return np.array([start + byte for start in starts for byte in range(8)], dtype=np.intp)


def _fields(message: bytes, mask: bytearray, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yields number, wire type, start and end of the value of each field, and marks in ``mask`` what tells them."""
    while at < end:
        tag, start = _varint(message, at, end)
        mask[at:start] = b"\xff" * (start - at)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            stop = _varint(message, start, end)[1]
            mask[start:stop] = b"\x80" * (stop - start)
        elif wire == _DELIMITED:
            length, first = _varint(message, start, end)
            mask[start:first] = b"\xff" * (first - start)
            start, stop = first, first + length
        elif wire in (_FIXED64, _FIXED32):
            stop = start + (8 if wire == _FIXED64 else 4)
        else:
            raise ValueError(f"has a field of the wire type {wire} at byte {at} of the metrics")
        if stop > end or not field:
            raise ValueError(f"is not protobuf: the field at byte {at} of the metrics has no number or no end")
        yield field, wire, start, stop
        at = stop


def _varint(message: bytes, at: int, end: int) -> tuple[int, int]:
    """Returns a varint and where it ends."""
    value = 0
    for place, byte in enumerate(message[at : min(end, at + _LONGEST_VARINT)]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError(f"is not protobuf: the number at byte {at} of the metrics has no end")


def _demand(wire: int, wanted: int, name: str) -> None:
    if wire != wanted:
        raise ValueError(f"has {_KINDS[wire]} as {name}; needed: {_KINDS[wanted]}")
