"""What holds for every importer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import tfrecords
from metaopt.cells.graph import OPS, CellGraph
from metaopt.core.errors import TableError
from metaopt.core.registry import resolve
from metaopt.tables.importers import BENCHMARKS, IMPORTERS
from metaopt.tables.schema import write_groups
from metaopt.tables.table import Table

GRAPH = CellGraph.from_key("110" + "01" + "1:conv1x1:maxpool3x3")
VALID, TEST = 7488, 4992  # of 9,984


def a_tfrecord(path: Path) -> None:
    tfrecords.write(path, tfrecords.trainings(GRAPH, 108, [(VALID / 9984, TEST / 9984)]))


def an_archive(path: Path) -> None:
    arrays = {
        "hash": [list(bytes.fromhex(GRAPH.hash))],
        "valid_correct": [[[VALID]]],
        "test_correct": [[[TEST]]],
        "epochs": [108],
        "adjacency": [GRAPH.adjacency],
        "ops": [[255, *map(OPS.index, GRAPH.ops), 255]],
        "n_vertices": [4],
        "in_space_bitmask": [4],
    }
    with open(path, "wb") as file:
        np.savez(file, **{name: np.array(values) for name, values in arrays.items()})


def rows() -> pa.Table:
    return pa.table({"cell": [GRAPH.key], "epochs": [108], "seed": [0], "valid_error": [0.25], "test_error": [0.5]})


WRITERS: dict[str, Callable[[Path], None]] = {
    "nasbench101": a_tfrecord,
    "nb1shot1-npz": an_archive,
    "csv": lambda path: pacsv.write_csv(rows(), path),
    "parquet": lambda path: pq.write_table(rows(), path),
}


def test_registered_names() -> None:
    assert WRITERS.keys() == IMPORTERS.keys() >= BENCHMARKS.keys()


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_in_the_table(tmp_path: Path, name: str) -> None:
    path, said = tmp_path / "file", []
    WRITERS[name](path)
    found, provenance = resolve("importer", IMPORTERS, name)(path, lambda *of: said.append(of))
    assert said[-1] == (path.stat().st_size,) * 2
    assert (provenance["file"], provenance["bytes"]) == ("file", path.stat().st_size)
    assert provenance["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    write_groups(tmp_path / "t.parquet", found.groups(), provenance)
    table = Table(tmp_path / "t.parquet", 3)
    assert (table.epochs, table.seeds, table.keys) == ([108], [0], [GRAPH.key])
    entry = table.query(GRAPH)
    assert (entry.valid_error, entry.test_error) == (0.25, 0.5)
    assert table.provenance == provenance


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("content", [b"", b"something else", bytes(range(256)) * 3])
def test_another_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(TableError, match=str(path)):
        resolve("importer", IMPORTERS, name)(path, lambda *of: None)


@pytest.mark.parametrize("name", WRITERS)
def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(TableError, match=str(path)):
            resolve("importer", IMPORTERS, name)(path, lambda *of: None)
