from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.surrogates.encoding import FEATURES, LABELS, PATHS, Cells, paths

# input -> conv1x1 -> output, input -> conv3x3 -> output, and input -> output
FORK = CellGraph.from_key("111" + "01" + "1:conv1x1:conv3x3")
CHAIN = CellGraph.from_key("100" + "10" + "1:conv3x3:maxpool3x3")


def feature(cells: Cells, row: int, name: str) -> float:
    return float(cells.features[row, FEATURES.index(name)])


def test_paths_of_known_cells() -> None:
    assert paths(FORK) == Counter({(): 1, ("conv1x1",): 1, ("conv3x3",): 1})
    assert paths(CHAIN) == Counter({("conv3x3", "maxpool3x3"): 1})


def test_there_are_364_paths_of_up_to_five_operations() -> None:
    """Section C of the papers' count for cells of five operations: 1 + 3 + 9 + 27 + 81 + 243."""
    assert len(PATHS) == 364
    assert len(set(FEATURES)) == len(FEATURES)


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [
        (0, "paths direct", 1),
        (0, "paths conv1x1", 1),
        (0, "paths maxpool3x3", 0),
        (0, "edges input>output", 1),
        (0, "conv1x1 with 1 in, 1 out", 1),
        (0, "steps input>conv3x3>output", 1),
        (0, "paths", 3),
        (0, "shortest", 0),
        (0, "mean convolutions on a path", 2 / 3),
        (1, "paths conv3x3>maxpool3x3", 1),
        (1, "edges conv3x3>maxpool3x3", 1),
        (1, "maxpool3x3 at 2 from the input", 1),
        (1, "maxpool3x3 at 1 from the output", 1),
        (1, "conv3x3 at 2 from the output", 1),
        (1, "vertices", 4),
        (1, "edges", 3),
        (1, "longest", 2),
        (1, "fewest conv3x3 on a path", 1),
    ],
)
def test_features_of_known_cells(row: int, name: str, value: float) -> None:
    assert feature(Cells([FORK, CHAIN]), row, name) == pytest.approx(value)


def test_two_operations_in_parallel_count_twice() -> None:
    twice = CellGraph.from_key("110" + "01" + "1:conv3x3:conv3x3")
    assert feature(Cells([twice]), 0, "paths conv3x3") == 2


def test_few_cells_of_space_1_look_alike() -> None:
    """The features tell nearly all distinct cells apart; the padded graph tells all."""
    cells = Cells(list(CELL_SPACES[1].distinct_graphs().values()))
    distinct = len(np.unique(cells.features, axis=0))
    assert distinct > 0.99 * len(cells)


def test_padded_graphs() -> None:
    cells = Cells([FORK, CellGraph.from_key("1")])
    assert cells.adjacency.shape == (2, 7, 7)
    assert np.argwhere(cells.adjacency[0]).tolist() == [[0, 1], [0, 2], [0, 3], [1, 3], [2, 3]]
    assert [LABELS[label] for label in cells.labels[1]] == ["input", "output", *["none"] * 5]


def test_a_selection_keeps_what_has_been_encoded() -> None:
    cells = Cells([FORK, CHAIN])
    features = cells.features
    chosen = cells.select(np.array([1]))
    assert chosen.graphs == [CHAIN]
    assert "features" in chosen.__dict__
    assert "labels" not in chosen.__dict__
    assert np.array_equal(chosen.features[0], features[1])


def test_cells_of_more_vertices_are_refused() -> None:
    chain = CellGraph(tuple(tuple(int(j == i + 1) for j in range(8)) for i in range(8)), ("conv3x3",) * 6)
    with pytest.raises(ValueError, match="more than 7 vertices"):
        Cells([chain])
