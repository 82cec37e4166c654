from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from metaopt.cells.space import CELL_SPACES, CellSpace
from metaopt.errors import TableError
from metaopt.tables.build import Chunk, build, chunks, count_parameters
from metaopt.tables.card import Card, load_card
from metaopt.tables.networks import NetworkScale
from metaopt.tables.table import Table

Run = Callable[[Callable[[Chunk], float], Sequence[Chunk]], Iterator[float]]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Card:
    """Real training of a small space: 12 distinct cells in a few chunks, one epoch, one channel."""
    monkeypatch.setitem(CELL_SPACES, 9, CellSpace("tiny", (1, 1, 2)))
    card = load_card("digits")
    protocol = replace(card.protocol, epochs=(1,), batch_size=350)
    return replace(card, network=NetworkScale(channels=2, stacks=1), protocol=protocol, seeds=(0, 1))


def serially(function: Callable[[Chunk], float], todo: Sequence[Chunk]) -> Iterator[float]:
    yield from map(function, todo)


def test_an_interrupted_build_goes_on(tiny: Card, tmp_path: Path) -> None:
    out, folder = tmp_path / "tables" / "digits-9.parquet", tmp_path / "parts"
    todo = chunks(tiny, 9, folder)
    graphs = CELL_SPACES[9].distinct_graphs()
    assert sorted(key for chunk in todo for key in chunk.cells) == sorted(graph.key for graph in graphs.values())

    def killed(function: Callable[[Chunk], float], todo: Sequence[Chunk]) -> Iterator[float]:
        yield function(todo[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tiny, 9, folder, out, killed, {}, lambda *_: None)
    assert not out.exists()
    reports: list[tuple[int, int, float]] = []
    trained: list[Chunk] = []

    def counting(function: Callable[[Chunk], float], todo: Sequence[Chunk]) -> Iterator[float]:
        trained.extend(todo)
        yield from map(function, todo)

    build(tiny, 9, folder, out, counting, {"commit": "abc"}, lambda *args: reports.append(args))
    assert len(trained) == len(todo) - 1
    assert [done for done, _, _ in reports] == list(range(1, len(todo) + 1))
    assert reports[-1][2] == 0
    assert math.isnan(reports[0][2])
    table = Table(out)
    assert len(table) == len(graphs)
    assert table.provenance["commit"] == "abc"
    assert table.provenance["cells"] == len(graphs)
    graph = next(iter(graphs.values()))
    assert table.query(graph).parameters == count_parameters(tiny, graph)
    with pytest.raises(TableError, match="exists"):
        build(tiny, 9, folder, out, serially, {}, lambda *_: None)


def test_chunks_hold_one_wiring_each(tmp_path: Path) -> None:
    found = chunks(load_card("digits"), 1, tmp_path)
    assert sum(len(chunk.cells) for chunk in found) == 2_685
    assert all(len({key.split(":")[0] for key in chunk.cells}) == 1 for chunk in found)
    assert max(len(chunk.cells) for chunk in found) == 9
