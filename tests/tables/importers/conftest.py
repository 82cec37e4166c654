"""A file of four small cells after 4 and 12 epochs, and how to import it."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfrecords
from tfrecords import CELLS


@pytest.fixture
def payloads() -> list[bytes]:
    """Three trainings of each, the cells in an order that is not that of their hashes."""
    found = []
    for number, graph in enumerate(CELLS):
        for epochs in (12, 4):
            accuracies = [(0.5 + number / 16 + r / 128, 0.25 + number / 16 + r / 128) for r in range(3)]
            found += tfrecords.trainings(graph, epochs, accuracies)
    return found


@pytest.fixture
def file(tmp_path: Path, payloads: list[bytes]) -> Path:
    return tfrecords.write(tmp_path / "small.tfrecord", payloads)
