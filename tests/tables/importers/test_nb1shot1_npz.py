from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaopt.cells.graph import OPS
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import TableError
from metaopt.tables.importers.evaluations import Evaluations
from metaopt.tables.importers.nb1shot1_npz import nb1shot1_npz
from metaopt.tables.schema import write_groups
from metaopt.tables.table import Table
from tfrecords import CELLS

#: Bits of the cell spaces that the four cells are in.
SPACES = [
    sum(1 << number - 1 for number, space in CELL_SPACES.items() if space.embed(graph) is not None) for graph in CELLS
]


def read(path: Path) -> Evaluations:
    return nb1shot1_npz(path, lambda *of: None)[0]


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """The four cells after 4 and 108 epochs, twice each."""
    adjacency, ops = np.zeros((4, 7, 7), np.uint8), np.full((4, 7), 255, np.uint8)
    for row, graph in enumerate(CELLS):
        n = graph.n_vertices
        adjacency[row, :n, :n] = graph.adjacency
        ops[row, 1 : n - 1] = [OPS.index(op) for op in graph.ops]
    correct = np.arange(16, dtype=np.uint16).reshape(4, 2, 2) * 600
    return {
        "hash": np.array([list(bytes.fromhex(graph.hash)) for graph in CELLS], dtype=np.uint8),
        "valid_correct": correct,
        "test_correct": correct[::-1],
        "epochs": np.array([4, 108]),
        "adjacency": adjacency,
        "ops": ops,
        "n_vertices": np.array([graph.n_vertices for graph in CELLS], dtype=np.uint8),
        "in_space_bitmask": np.array(SPACES, dtype=np.uint8),
    }


def test_cells_of_an_archive(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "a.npz", more=np.zeros(3), **arrays)
    found, said = nb1shot1_npz(tmp_path / "a.npz", lambda *of: None)
    assert (found.seeds, found.epochs, found.parameters) == ((0, 1), (4, 108), None)
    assert set(found.measures) == {"valid_error", "test_error"}
    order = [found.keys.index(graph.key) for graph in CELLS]
    assert [found.hashes[row].decode() for row in order] == [graph.hash for graph in CELLS]
    assert found.cell_spaces[order].tolist() == SPACES
    wanted = (1 - arrays["valid_correct"] / 9984).astype(np.float32)
    assert np.array_equal(found.measures["valid_error"][order], wanted.transpose(0, 2, 1))
    assert np.array_equal(found.measures["test_error"][order], wanted[::-1].transpose(0, 2, 1))
    sha256 = hashlib.sha256((tmp_path / "a.npz").read_bytes()).hexdigest()
    assert (said["sha256"], said["cells"], said["hashes_verified"]) == (sha256, 4, 4)


@pytest.mark.slow
def test_published_values_come_back_exactly(
    tmp_path: Path, published_file: Path, published_cells: dict[str, np.ndarray]
) -> None:
    found, said = nb1shot1_npz(published_file, lambda *of: None)
    assert said["hashes_verified"] == len(published_cells["hash"])
    write_groups(tmp_path / "t.parquet", found.groups(), said)
    table = Table(tmp_path / "t.parquet")
    hashes = [row.tobytes().hex() for row in published_cells["hash"]]
    for at, epochs in enumerate((4, 12, 36, 108)):
        for errors, part in zip(table.query_many(hashes, epochs), ("valid_correct", "test_correct"), strict=True):
            assert np.array_equal(errors.astype(np.float32), (1 - published_cells[part][:, at] / 9984).astype("f4"))
    assert [len(Table(tmp_path / "t.parquet", number)) for number in (1, 2, 3)] == [2_127, 3_258, 17_940]


def changed(name: str, place: tuple[int, ...], value: int) -> Any:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays[name] = arrays[name].astype(np.int64)
        arrays[name][place] = value

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda a: a.pop("epochs"), "has no epochs: it is no archive"),
        (lambda a: a.update(hash=a["hash"][:3]), r"valid_correct is \(4, 2, 2\); needed: \(3, 2, 2\)"),
        (lambda a: a.update(valid_correct=a["valid_correct"] / 2), "valid_correct is float64"),
        (lambda a: a.update(epochs=np.array(4)), "epochs is"),
        (lambda a: a.update(epochs=np.array([108, 4])), r"epochs is \[108, 4\]; needed: ascending"),
        (lambda a: a.update(ops=np.array([["a"]])), "ops is"),
        (lambda a: a.update({name: values[:0] for name, values in a.items() if name != "epochs"}), "needed: integers"),
        (changed("test_correct", (2, 1, 0), 9985), r"cell 2, has 9985 as test_correct\[1, 0\]; allowed: 0 to 9984"),
        (changed("n_vertices", (1,), 8), r"cell 1, has 8 as n_vertices; allowed: 2 to 7"),
        (changed("adjacency", (0, 0, 1), 2), r"cell 0, has 2 as adjacency\[0, 1\]; allowed: 0 to 1"),
        (changed("in_space_bitmask", (0,), 8), "cell 0, has 8 as in_space_bitmask"),
        (
            changed("in_space_bitmask", (3,), SPACES[3] ^ 1),
            f"cell 3, has the in_space_bitmask {SPACES[3] ^ 1}; that of",
        ),
        (changed("epochs", (0,), 0), "epochs, has 0 as epochs; allowed: 1 to"),
        (changed("ops", (1, 1), 3), r"cell 1, has the operations \[3, 2\]; allowed: 0 to 2"),
        (changed("n_vertices", (0,), 2), "hash"),
        (changed("adjacency", (0, 1, 0), 1), "cell 0, is not a cell: the adjacency is not strictly"),
        (changed("hash", (0, 0), 7), "cell 0, has the cell 111:conv3x3 with the hash 07"),
        (
            lambda a: a.update({name: np.repeat(v, 2, 0) for name, v in a.items() if name != "epochs"}),
            "cell 1, is the same as cell 0: ",
        ),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], change: Any, text: str) -> None:
    change(arrays)
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(TableError, match=text):
        read(tmp_path / "a.npz")


def test_cells_beyond_the_limits_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    arrays["adjacency"] = np.pad(arrays["adjacency"], ((0, 0), (0, 6), (0, 6)))
    arrays["ops"] = np.pad(arrays["ops"], ((0, 0), (0, 6)))
    arrays["adjacency"][2], arrays["n_vertices"][2] = np.eye(13, k=1), 13
    arrays["ops"][2] = 0
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(TableError, match=r"a\.npz, cell 2, is not a cell: the cell has 13 vertices and 12 edges"):
        read(tmp_path / "a.npz")


def test_damage_is_said_and_nothing_is_unpickled(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    content = path.read_bytes()
    for wrong in (content[: len(content) // 2], b"", b"text", content[:200] + b"\x00\xff" + content[202:]):
        path.write_bytes(wrong)
        with pytest.raises(TableError, match="cannot be read, it is damaged or no"):
            read(path)
    np.savez(path, **{**arrays, "hash": np.array([object()])})
    with pytest.raises(TableError, match="cannot be read"):
        read(path)
    np.save(tmp_path / "b.npy", np.arange(3))
    with pytest.raises(TableError, match=r"cannot be read|has no hash"):
        read(tmp_path / "b.npy")
