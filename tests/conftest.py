"""Fixtures that several folders of tests share."""

from __future__ import annotations

import gc
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before anything loads torch: threads that spin on shared cores cost tenfold

import numpy as np
import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_finish() -> None:
    """Spares the collector all that was imported, which nothing frees: it takes a third of the seconds otherwise."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def published_file() -> Path:
    """Real NAS-Bench-101 values of 23,142 cells; not part of the project, so tests do without where it is absent."""
    path = SHARED_DATA / "nb1shot1_table.npz"
    if not path.is_file():
        pytest.skip("the published NAS-Bench-101 values are not on this machine: they are never part of the project")
    return path


@pytest.fixture(scope="session")
def published_cells(published_file: Path) -> dict[str, np.ndarray]:
    """The arrays of it."""
    with np.load(published_file) as data:
        return {name: data[name] for name in data.files}


@pytest.fixture(scope="session")
def published_images() -> Path:
    """The file of all CIFAR-10 images as JPEGs; not part of the project, so tests do without where it is absent."""
    path = SHARED_DATA / "cifar10_jpeg_q75.npz"
    if not path.is_file():
        pytest.skip("the CIFAR-10 images are not on this machine: they are never part of the project")
    return path
