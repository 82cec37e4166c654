from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES, CellSpace
from metaopt.core.errors import TableError
from metaopt.tables.building.build import (
    MOST_SEEDS,
    Chunk,
    build,
    chunks,
    count_parameters,
    planned,
    planned_seeds,
    training,
)
from metaopt.tables.card import Card, Round, load_card
from metaopt.tables.protocol import NetworkScale
from metaopt.tables.table import Table


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Card:
    """Real training of a small space: 12 distinct cells in a few chunks, one epoch, two channels."""
    monkeypatch.setitem(CELL_SPACES, 9, CellSpace("tiny", (1, 1, 2)))
    card = load_card("digits")
    assert card.protocol is not None
    protocol = replace(card.protocol, epochs=(1,), batch_size=350)
    return replace(card, network=NetworkScale(channels=2, stacks=1), protocol=protocol)


class Runner:
    """Trains chunks one after the other, or dies before its last one; keeps what it was given."""

    def __init__(self, most: int | None = None) -> None:
        self.given: list[Chunk] = []
        self._most = most

    def __call__(self, function: Callable[[Chunk], int], todo: Sequence[Chunk]) -> Iterator[int]:
        self.given += todo
        yield from map(function, todo[: self._most])
        if self._most is not None:
            raise KeyboardInterrupt


def silent(done: int, total: int) -> None:
    pass


def test_an_interrupted_build_goes_on(tiny: Card, tmp_path: Path) -> None:
    out, folder = tmp_path / "tables" / "digits-9.parquet", tmp_path / "parts"
    graphs, first, second = planned(tiny, 9), Runner(most=1), Runner()
    assert graphs == CELL_SPACES[9].distinct_graphs()
    with pytest.raises(KeyboardInterrupt):
        build(tiny, graphs, (0, 1), (), folder, out, first, {}, silent)
    assert not out.exists()
    reports: list[tuple[int, int]] = []
    build(tiny, graphs, (0, 1), (), folder, out, second, {"commit": "abc"}, lambda *args: reports.append(args))
    assert second.given == first.given[1:]
    assert [reports[0][0], reports[-1][0]] == [2 * len(first.given[0].cells), 2 * len(graphs)]
    assert reports[-1][1] == 2 * len(graphs)
    table = Table(out)
    assert len(table) == len(graphs)
    assert table.provenance["commit"] == "abc"
    assert table.provenance["cells"] == len(graphs)
    graph = next(iter(graphs.values()))
    assert table.query(graph).parameters == count_parameters(tiny, graph)
    with pytest.raises(TableError, match="exists"):
        build(tiny, graphs, (0, 1), (), folder, out, Runner(), {}, silent)


def test_only_what_no_part_holds_is_trained(tiny: Card, tmp_path: Path) -> None:
    graphs = planned(tiny, 9)
    some = dict(list(graphs.items())[:5])
    build(tiny, some, (0,), (), tmp_path, tmp_path / "some.parquet", Runner(), {}, silent)
    assert len(Table(tmp_path / "some.parquet")) == 5
    more = Runner()
    build(tiny, graphs, (0, 1), (), tmp_path, tmp_path / "all.parquet", more, {}, silent)
    trained = [(key, seed) for chunk in more.given for key in chunk.cells for seed in chunk.seeds]
    before = [(graph.key, 0) for graph in some.values()]
    assert sorted(trained + before) == sorted((graph.key, seed) for graph in graphs.values() for seed in (0, 1))
    build(tiny, some, (0,), (), tmp_path, tmp_path / "again.parquet", nothing := Runner(), {}, silent)
    assert nothing.given == []
    one, two = (Table(tmp_path / name) for name in ("some.parquet", "all.parquet"))
    for graph in some.values():
        assert two.query(graph).valid_errors[:1] == one.query(graph).valid_errors
    assert Table(tmp_path / "again.parquet").keys == one.keys


def rows_of(errors: dict[str, list[float]]) -> pa.Table:
    """Trainings with seeds 0, 1, ... of cells by hash; test errors are validation errors from behind."""
    return pa.Table.from_pylist(
        [
            {"cell_hash": key, "seed": seed, "valid_error": error, "test_error": 1 - error}
            for key, of_seeds in errors.items()
            for seed, error in enumerate(of_seeds)
        ]
    )


def test_the_best_cells_are_trained_again_until_they_stay_the_best() -> None:
    """The lucky cell b makes room for c, which has to show what it is worth, too."""
    errors = {"a": [0.5], "b": [0.1], "c": [0.3], "d": [0.9]}
    rounds, order = [Round(1, 3)], range(MOST_SEEDS)
    plan = dict.fromkeys(errors, 1)
    plan = planned_seeds(rows_of(errors), plan, rounds, order)
    assert plan == {"a": 1, "b": 3, "c": 1, "d": 3}  # best by validation, best by test error
    errors |= {"b": [0.1, 0.6, 0.6], "d": [0.9, 0.9, 0.9]}
    plan = planned_seeds(rows_of(errors), plan, rounds, order)
    assert plan == {"a": 1, "b": 3, "c": 3, "d": 3}
    errors |= {"c": [0.3, 0.3, 0.35]}
    assert planned_seeds(rows_of(errors), plan, rounds, order) == plan
    errors |= {"a": [0.5, 0.0]}  # a seed that the plan does not want says nothing
    assert planned_seeds(rows_of(errors), plan, rounds, order) == plan


def test_a_build_trains_the_best_cells_again(tiny: Card, tmp_path: Path) -> None:
    graphs, rounds, runner = planned(tiny, 9), [Round(2, 3)], Runner()
    build(tiny, graphs, (0,), rounds, tmp_path, tmp_path / "t.parquet", runner, {}, silent)
    table = Table(tmp_path / "t.parquet")
    seeds = (~np.isnan(table.valid_error[:, :, -1])).sum(axis=1)
    assert set(seeds.tolist()) == {1, 3}
    best = {int(np.argsort(mean.round(7), kind="stable")[n]) for mean in table.means for n in range(2)}
    assert all(seeds[n] == 3 for n in best)
    assert table.provenance["trainings"] == seeds.sum() == sum(len(c.cells) * len(c.seeds) for c in runner.given)
    assert table.provenance["again"] == [{"cells": 2, "seeds": 3}]
    build(tiny, graphs, (0,), rounds, tmp_path, tmp_path / "again.parquet", nothing := Runner(), {}, silent)
    assert not nothing.given


def test_a_sample_is_uniform_and_takes_what_was_found(tiny: Card) -> None:
    card = replace(tiny, text={**tiny.text, "training": {"sample": {9: 4}}})
    everything, drawn = CELL_SPACES[9].distinct_graphs(), planned(card, 9)
    assert (len(drawn), planned(card, 9)) == (4, drawn)
    other = next(graph for key, graph in everything.items() if key not in drawn)
    outside = CellGraph.from_key("1011111111:conv3x3:conv3x3:conv3x3")
    assert planned(card, 9, [other, outside]).keys() == {*drawn, other.hash}
    samples = [planned(replace(card, name=str(name)), 9) for name in range(300)]
    times = [sum(key in sample for sample in samples) for key in everything]
    share = 4 / len(everything)
    assert max(abs(count - 300 * share) for count in times) < 4.5 * (300 * share * (1 - share)) ** 0.5


def test_chunks_hold_one_wiring_each(tmp_path: Path) -> None:
    card = load_card("digits")
    found = chunks(card, dict.fromkeys(planned(card, 1).values(), card.seeds(1)), tmp_path)
    assert sum(len(chunk.cells) for chunk in found) == 2_685
    assert all(len({key.split(":")[0] for key in chunk.cells}) == 1 for chunk in found)
    assert max(len(chunk.cells) for chunk in found) == 9
    assert len({chunk.path for chunk in found}) == len(found)


def test_an_imported_table_is_not_built(tiny: Card) -> None:
    card = replace(tiny, protocol=None, network=None, text={**tiny.text, "get": "metaopt benchmark import x"})
    with pytest.raises(TableError, match=r"is not built here\n.*metaopt benchmark import x"):
        training(card)
