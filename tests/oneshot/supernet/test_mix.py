from __future__ import annotations

from metaopt.cells.space import Cell
from metaopt.oneshot.supernet.mix import Path

CELL = Cell(((0,), (0, 1), (0, 1), (0, 2), (0, 3)), ("conv3x3", "maxpool3x3", "conv1x1", "conv3x3"))


def test_columns_of_a_path() -> None:
    assert Path(CELL).ops == (1, 0, 2, 1)


def test_only_what_reaches_the_output_is_live() -> None:
    assert Path(CELL).live == (1, 3)
    assert Path(Cell(((0,), (0, 1), (0, 1), (2, 3), (0, 4)), CELL.ops)).live == (1, 2, 3, 4)
