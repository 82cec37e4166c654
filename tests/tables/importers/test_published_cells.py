from __future__ import annotations

import pytest

from metaopt.cells.space import CELL_SPACES
from metaopt.tables.importers.published_cells import graph, matrix
from tfrecords import spell

MATRIX, NAMES = "011001000", "input,conv3x3-bn-relu,output"


def test_cells_are_read_as_they_are_spelled() -> None:
    graphs = list(CELL_SPACES[1].distinct_graphs().values())[::20]
    for cell in graphs:
        assert graph(*spell(cell.adjacency, cell.ops)) == cell


def test_published_cell_and_hash() -> None:
    """A row of the published file that others' tests quote."""
    rows = "0100110001000000010010000010000001000000010000000"
    names = "input,conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu,output"
    assert graph(rows, names).hash == "00005c142e6f48ac74fdcf73e3439874"


def test_dead_vertices_are_pruned() -> None:
    assert graph("0010000100010000", "input,maxpool3x3,conv1x1-bn-relu,output").key == "101:conv1x1"


@pytest.mark.parametrize(
    ("adjacency", "ops", "text"),
    [
        ("01100100", NAMES, "0s and 1s of a square matrix"),
        ("0", "input,output", "0s and 1s of a square matrix"),
        ("", NAMES, "0s and 1s of a square matrix"),
        ("012001000", NAMES, "0s and 1s of a square matrix"),
        ("011001100", NAMES, "not strictly upper triangular"),
        ("111001000", NAMES, "not strictly upper triangular"),
        ("000001000", NAMES, "the output cannot be reached"),
        (
            "".join(str(int(j == i + 1)) for i in range(8) for j in range(8)),
            "input" + ",maxpool3x3" * 6 + ",output",
            "8 v",
        ),
        ("0111100111000110000100000", "input" + ",maxpool3x3" * 3 + ",output", "5 vertices and 10 edges"),
        (MATRIX, "input,output", "an adjacency of 3 vertices and operations of 2"),
        (MATRIX, "input,conv5x5,output", "has the operation 'conv5x5'; allowed: conv3x3-bn-relu"),
        (MATRIX, "conv3x3-bn-relu,conv3x3-bn-relu,output", "needed: input,...,output"),
        (MATRIX, "", "needed: input,...,output"),
    ],
)
def test_what_is_no_cell_is_refused(adjacency: str, ops: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        graph(adjacency, ops)


def test_matrix() -> None:
    assert matrix("0100") == ((0, 1), (0, 0))
