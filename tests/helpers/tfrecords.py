"""Writes TFRecord files like those of NAS-Bench-101, without the code that reads them."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from metaopt.cells.graph import OPS, CellGraph, prune

#: Small cells to write.
CHAIN = CellGraph.from_key("111:conv3x3")
FORK = CellGraph.from_key("110" + "01" + "1:conv1x1:maxpool3x3")
CELLS = (CHAIN, FORK, CellGraph.from_key("1"), CellGraph.from_key("101:conv1x1"))

#: One training: accuracies of training, validation and test, and seconds, at the start, halfway and at the end.
Times = Sequence[tuple[float, float, float, float]]


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # Castagnoli's polynomial, bits reversed
        table.append(byte)
    return table


_CRC_TABLE = _crc_table()


def masked_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % (1 << 32)


def frame(payload: bytes, crc_of: Callable[[bytes], int] = masked_crc) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", crc_of(length)) + payload + struct.pack("<I", crc_of(payload))


def varint(number: int) -> bytes:
    digits = b""
    while number > 0x7F:
        digits += bytes([number & 0x7F | 0x80])
        number >>= 7
    return digits + bytes([number])


def field(number: int, wire: int, value: bytes) -> bytes:
    return varint(number << 3 | wire) + (varint(len(value)) if wire == 2 else b"") + value


def evaluation(
    epochs: float, train: float, valid: float, test: float, time_s: float, *, checkpoint: str | None = ""
) -> bytes:
    """EvaluationData; ``checkpoint`` None leaves the field out."""
    doubles = (epochs, time_s, train, valid, test)
    content = b"".join(field(number, 1, struct.pack("<d", value)) for number, value in enumerate(doubles, start=1))
    return content + (field(6, 2, checkpoint.encode()) if checkpoint is not None else b"")


def metrics(epochs: int, times: Times, parameters: int, *, checkpoint: str | None = "") -> bytes:
    """ModelMetrics."""
    evaluations = [
        field(1, 2, evaluation(epochs * part / 2, *values, checkpoint=checkpoint)) for part, values in enumerate(times)
    ]
    return b"".join(evaluations) + field(2, 0, varint(parameters)) + field(3, 1, struct.pack("<d", 2.5 * epochs))


def payload(cell_hash: str, epochs: int, adjacency: str, operations: str, message: bytes) -> bytes:
    return json.dumps([cell_hash, epochs, adjacency, operations, base64.b64encode(message).decode()]).encode()


def write(path: Path, payloads: Iterable[bytes], crc_of: Callable[[bytes], int] = masked_crc) -> Path:
    with open(path, "wb") as file:
        for content in payloads:
            file.write(frame(content, crc_of))
    return path


def spell(adjacency: Sequence[Sequence[int]], ops: Sequence[str]) -> tuple[str, str]:
    """Adjacency and operations as NAS-Bench-101 spells them, of a graph as metaopt has it."""
    names = {"conv3x3": "conv3x3-bn-relu", "conv1x1": "conv1x1-bn-relu", "maxpool3x3": "maxpool3x3"}
    matrix = "".join(str(int(entry)) for row in adjacency for entry in row)
    return matrix, ",".join(["input", *(names[op] for op in ops), "output"])


def trainings(
    graph: CellGraph,
    epochs: int,
    accuracies: Sequence[tuple[float, float]],
    *,
    cell_hash: str | None = None,
    checkpoint: str | None = "",
) -> list[bytes]:
    """Payloads of a cell: one per repeat, with the given validation and test accuracies."""
    matrix, names = spell(graph.adjacency, graph.ops)
    return [
        payload(
            cell_hash or graph.hash,
            epochs,
            matrix,
            names,
            metrics(
                epochs,
                [
                    (0.125, 0.0625, 0.03125, 0.0),
                    (0.5, valid / 2, test / 2, 8.0 * epochs + repeat),
                    (1.0, valid, test, 16.0 * epochs + repeat),
                ],
                1000 * graph.n_vertices,
                checkpoint=checkpoint,
            ),
        )
        for repeat, (valid, test) in enumerate(accuracies)
    ]


def published(data: Mapping[str, np.ndarray], rows: Iterable[int]) -> Iterator[bytes]:
    """Payloads of real cells, see the fixture ``published_cells``; their training errors and times are made up."""
    for row in rows:
        n = int(data["n_vertices"][row])
        graph = prune(data["adjacency"][row, :n, :n].tolist(), [OPS[code] for code in data["ops"][row, 1 : n - 1]])
        for at, epochs in enumerate(data["epochs"].tolist()):
            correct = zip(data["valid_correct"][row, at], data["test_correct"][row, at], strict=True)
            accuracies = [(int(valid) / 9984, int(test) / 9984) for valid, test in correct]
            yield from trainings(graph, epochs, accuracies, cell_hash=data["hash"][row].tobytes().hex())
