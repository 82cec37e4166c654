from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import tfrecords
from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import TableError
from metaopt.tables.importers import tfrecord
from metaopt.tables.importers.evaluations import Evaluations
from metaopt.tables.importers.nasbench101 import PUBLISHED, nasbench101
from metaopt.tables.schema import MEASURES, write_groups
from metaopt.tables.table import Table
from tfrecords import CELLS, CHAIN, FORK


def read(path: Path) -> Evaluations:
    return nasbench101(path, lambda *of: None)[0]


def test_every_value_arrives_where_it_belongs(file: Path) -> None:
    found = read(file)
    assert (found.seeds, found.epochs) == ((0, 1, 2), (4, 12))
    assert found.hashes.tolist() == sorted(graph.hash.encode() for graph in CELLS)
    assert set(found.measures) == set(MEASURES)
    for row, key in enumerate(found.keys):
        graph = CellGraph.from_key(key)
        number = CELLS.index(graph)
        assert found.hashes[row].decode() == graph.hash
        assert found.parameters is not None
        assert found.parameters[row] == 1000 * graph.n_vertices
        for at, epochs in enumerate((4, 12)):
            for seed in range(3):
                got = {name: float(values[row, seed, at]) for name, values in found.measures.items()}
                valid = 0.5 + number / 16 + seed / 128
                assert got == {
                    "train_error": 0.0,
                    "valid_error": 1 - valid,
                    "test_error": 1 - (valid - 0.25),
                    "cost_s": 16 * epochs + seed,
                    "halfway_train_error": 0.5,
                    "halfway_valid_error": 1 - valid / 2,
                    "halfway_test_error": 1 - (valid - 0.25) / 2,
                    "halfway_cost_s": 8 * epochs + seed,
                }


def test_seeds_are_in_the_order_of_the_file_wherever_records_stand(tmp_path: Path, payloads: list[bytes]) -> None:
    whole = read(tfrecords.write(tmp_path / "a", payloads))
    apart = read(tfrecords.write(tmp_path / "b", [payloads[n] for start in range(3) for n in range(start, 24, 3)]))
    for name in MEASURES:
        assert np.array_equal(whole.measures[name], apart.measures[name])


def test_provenance_says_which_file_it_was(file: Path, payloads: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    said = nasbench101(file, lambda *of: None)[1]
    assert said.pop("read_s") >= 0
    assert said == {
        "file": "small.tfrecord",
        "bytes": file.stat().st_size,
        "sha256": sha256,
        "published_as": None,
        "records": len(payloads),
        "hashes_verified": len(CELLS),
    }
    monkeypatch.setitem(PUBLISHED, sha256, "small")
    assert nasbench101(file, lambda *of: None)[1]["published_as"] == "small"
    assert all(len(known) == 64 and set(known) <= set("0123456789abcdef") for known in PUBLISHED)


@pytest.mark.parametrize("lost", [0, 7, 23])
def test_a_file_without_one_of_the_records_is_incomplete(tmp_path: Path, payloads: list[bytes], lost: int) -> None:
    path = tfrecords.write(tmp_path / "a", payloads[:lost] + payloads[lost + 1 :])
    graph, epochs = CELLS[lost // 6], 12 if lost % 6 < 3 else 4
    there = "3 after 4 epochs, 2 after 12 epochs" if epochs == 12 else "2 after 4 epochs, 3 after 12 epochs"
    with pytest.raises(
        TableError, match=f"incomplete file: 1 of 4 cells .* the cell {graph.hash} has {there}; others 3"
    ):
        read(path)


def test_a_cell_without_a_number_of_epochs_is_incomplete(tmp_path: Path, payloads: list[bytes]) -> None:
    path = tfrecords.write(tmp_path / "a", payloads[:21])
    with pytest.raises(TableError, match="has 0 after 4 epochs, 3 after 12 epochs; others 3 after each"):
        read(path)


def test_a_file_that_is_cut_off_anywhere_gives_no_other_values(tmp_path: Path) -> None:
    """Cut between two cells it is a smaller file, which nothing but its SHA-256 tells; elsewhere it is an error."""
    payloads = [p for graph in (CHAIN, FORK) for p in tfrecords.trainings(graph, 108, [(0.5, 0.25), (0.75, 0.5)])]
    path = tfrecords.write(tmp_path / "a", payloads)
    content, passed = path.read_bytes(), []
    ends = np.cumsum([16 + len(payload) for payload in payloads]).tolist()
    for size in sorted({*range(0, len(content), 61), *ends[:-1], *(end - 1 for end in ends)}):
        path.write_bytes(content[:size])
        try:
            found = read(path)
        except TableError:
            continue
        passed.append(size)
        assert len(found.keys) * len(found.seeds) in (1, 2)
    assert passed == ends[:2]


def test_every_hash_is_computed(tmp_path: Path) -> None:
    graphs = list(CELL_SPACES[1].distinct_graphs().values())[:300]
    payloads = [tfrecords.trainings(graph, 4, [(0.5, 0.5)]) for graph in graphs]
    one, other = graphs[251], graphs[277]
    payloads[251] = tfrecords.trainings(one, 4, [(0.5, 0.5)], cell_hash=other.hash)
    payloads[277] = tfrecords.trainings(other, 4, [(0.5, 0.5)], cell_hash=one.hash)
    path = tfrecords.write(tmp_path / "a", [payload for some in payloads for payload in some], tfrecord.masked_crc)
    text = f"{path}, record 252, has the cell {one.key} with the hash {other.hash}; NAS-Bench-101's of it is {one.hash}"
    with pytest.raises(TableError, match=text):
        read(path)


def test_isomorphic_cells_are_one(tmp_path: Path) -> None:
    twin = CellGraph.from_key("110" + "01" + "1:maxpool3x3:conv1x1")
    assert twin.hash == FORK.hash
    both = [
        tfrecords.trainings(graph, 4, [(accuracy, 0.5)], cell_hash=FORK.hash)
        for graph, accuracy in ((FORK, 0.5), (twin, 0.25), (CHAIN, 0.5))
    ]
    found = read(tfrecords.write(tmp_path / "a", both[0] + both[1]))
    assert (found.keys, found.seeds) == ([FORK.key], (0, 1))
    with pytest.raises(TableError, match=f", record 3, has the cell {CHAIN.key} with the hash {FORK.hash}"):
        read(tfrecords.write(tmp_path / "b", both[0] + both[1] + both[2]))


def test_a_training_is_there_once(tmp_path: Path, payloads: list[bytes]) -> None:
    path = tfrecords.write(tmp_path / "a", [*payloads, *payloads[6:9]])
    with pytest.raises(TableError, match=f"{path}, record 25, is of the same training as record 7: every value is"):
        read(path)


def test_a_cell_has_one_number_of_parameters(tmp_path: Path) -> None:
    matrix, names = tfrecords.spell(CHAIN.adjacency, CHAIN.ops)
    times = [[(0.1, 0.1, 0.1, 0.0), (0.5, 0.5, 0.5, 1.0 + n), (0.5, 0.5, 0.5, 2.0 + n)] for n in range(3)]
    payloads = [
        tfrecords.payload(CHAIN.hash, 4, matrix, names, tfrecords.metrics(4, some, parameters))
        for some, parameters in zip(times, (7, 7, 8), strict=True)
    ]
    path = tfrecords.write(tmp_path / "a", payloads)
    with pytest.raises(
        TableError, match=f"{path}, record 3, has 8 trainable_parameters; record 1, of the same cell, h"
    ):
        read(path)


@pytest.mark.parametrize(
    ("adjacency", "text"), [("0001", "2 vertices and operations of 3"), ("000001000", "the output cannot be reached")]
)
def test_cells_that_cannot_be_are_refused(tmp_path: Path, adjacency: str, text: str) -> None:
    message = tfrecords.metrics(4, [(0.5, 0.5, 0.5, 1.0)] * 3, 5)
    payload = tfrecords.payload("0" * 32, 4, adjacency, "input,maxpool3x3,output", message)
    good = tfrecords.trainings(CHAIN, 4, [(0.5, 0.5)])
    path = tfrecords.write(tmp_path / "a", [*good, payload])
    with pytest.raises(TableError, match=f", record 2, .*{text}|not strictly upper"):
        read(path)


def check_published(tmp_path: Path, data: dict[str, np.ndarray], rows: list[int]) -> None:
    source = tmp_path / "real.tfrecord"
    # The fast checksum, which test_tfrecord.py holds against the writer's own.
    tfrecords.write(source, tfrecords.published(data, rows), tfrecord.masked_crc)
    found, said = nasbench101(source, lambda *of: None)
    write_groups(tmp_path / "t.parquet", found.groups(), said)
    assert said["hashes_verified"] == len(rows)
    table = Table(tmp_path / "t.parquet")
    hashes = [data["hash"][row].tobytes().hex() for row in rows]
    assert table.hashes.tolist() == sorted(h.encode() for h in hashes)
    for at, epochs in enumerate(data["epochs"].tolist()):
        for errors, part in zip(table.query_many(hashes, epochs), ("valid_correct", "test_correct"), strict=True):
            correct = data[part][rows, at]
            assert np.array_equal(errors.astype(np.float32), (1 - correct / 9984).astype(np.float32))
            assert np.array_equal(np.round((1 - errors) * 9984).astype(int), correct)
    for number in (1, 2, 3):
        inside = (data["in_space_bitmask"][rows] >> (number - 1) & 1) == 1
        if inside.any():
            assert len(Table(tmp_path / "t.parquet", number)) == inside.sum()


def test_published_values_come_back_exactly(tmp_path: Path, published_cells: dict[str, np.ndarray]) -> None:
    check_published(tmp_path, published_cells, list(range(0, len(published_cells["hash"]), 300)))


@pytest.mark.slow
def test_all_published_values_come_back_exactly(tmp_path: Path, published_cells: dict[str, np.ndarray]) -> None:
    check_published(tmp_path, published_cells, list(range(len(published_cells["hash"]))))
