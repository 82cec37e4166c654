from __future__ import annotations

import hashlib

import numpy as np
import pytest

from metaopt.cells.graph import OPS, CellGraph, prune
from metaopt.core.errors import CellError


def test_prune_removes_what_is_not_on_a_path() -> None:
    # 0 -> 1 -> 4, 0 -> 2 (dead end), 3 has no parent but feeds the output
    adjacency = [[0, 1, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    graph = prune(adjacency, ["conv1x1", "conv3x3", "maxpool3x3"])
    assert graph == CellGraph(((0, 1, 0), (0, 0, 1), (0, 0, 0)), ("conv1x1",))
    assert graph.edges == [(0, 1), (1, 2)]
    assert graph.parents(2) == [1]


@pytest.mark.parametrize(
    ("adjacency", "ops", "why"),
    [
        ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], ["conv1x1"], "reached"),
        ([[0, 0, 0], [0, 0, 1], [0, 0, 0]], ["conv1x1"], "reached"),
        ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], ["conv1x1"], "triangular"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["conv5x5"], "operation"),
        (np.eye(8, k=1, dtype=int).tolist(), ["conv1x1"] * 6, "8 vertices and 7 edges that count; allowed: 7 and 9"),
        (np.triu(np.ones((5, 5), int), 1).tolist(), ["conv1x1"] * 3, "5 vertices and 10 edges"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [], "square"),
    ],
)
def test_prune_refuses(adjacency: list[list[int]], ops: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        prune(adjacency, ops)


def test_hash_of_the_smallest_cell_by_hand() -> None:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    vertices = [md5("(1, 0, -1)"), md5("(1, 1, 0)"), md5("(0, 1, -2)")]
    for _ in range(3):
        a, b, c = vertices
        vertices = [md5("|" + b + "|" + a), md5(a + "|" + c + "|" + b), md5(b + "||" + c)]
    expected = md5(str(sorted(vertices)))
    assert prune([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["conv3x3"]).hash == expected


def test_hash_ignores_the_order_of_vertices() -> None:
    fork = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert prune(fork, ["conv1x1", "conv3x3"]).hash == prune(fork, ["conv3x3", "conv1x1"]).hash
    assert prune(fork, ["conv1x1", "conv1x1"]).hash != prune(fork, ["conv3x3", "conv1x1"]).hash


def test_hash_equals_every_published_one(published_cells: dict[str, np.ndarray]) -> None:
    sizes = published_cells["n_vertices"]
    wrong = 0
    for adjacency, ops, n, expected in zip(
        published_cells["adjacency"], published_cells["ops"], sizes, published_cells["hash"], strict=True
    ):
        graph = prune(adjacency[:n, :n].tolist(), [OPS[label] for label in ops[1 : n - 1]])
        wrong += graph.hash != expected.tobytes().hex() or graph.n_vertices != n
    assert len(sizes) == 23_142
    assert wrong == 0


def test_key_is_read_back() -> None:
    graph = prune([[0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], ["conv1x1", "maxpool3x3"])
    assert graph.key == "110111:conv1x1:maxpool3x3"
    assert CellGraph.from_key(graph.key) == graph


@pytest.mark.parametrize("key", ["", "110:conv1x1:conv1x1", "1201:conv1x1", "111:conv9x9"])
def test_foreign_keys_are_refused(key: str) -> None:
    with pytest.raises(CellError, match="not the key of a cell"):
        CellGraph.from_key(key)


def test_a_key_has_the_limits_of_a_cell() -> None:
    chain = CellGraph(tuple(tuple(int(j == i + 1) for j in range(13)) for i in range(13)), ("conv3x3",) * 11)
    with pytest.raises(CellError, match="13 vertices"):
        CellGraph.from_key(chain.key)
    with pytest.raises(CellError, match="reached"):
        CellGraph.from_key("000:conv3x3")
    assert CellGraph.from_key("010" + "01" + "1:maxpool3x3:conv1x1").key == "101:conv1x1"
    with pytest.raises(CellError) as caught:
        CellGraph.from_key("9" * 100_000)
    assert len(str(caught.value)) < 300
