from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import TableError
from metaopt.tables.building.build import chunks, planned, train_cells
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.schema import UNEVEN, write_table
from metaopt.tables.table import Table

FORK = CellGraph.from_key("110" + "01" + "1:conv1x1:conv3x3")
TWIN = CellGraph.from_key("110" + "01" + "1:conv3x3:conv1x1")
CHAIN = CellGraph.from_key("111:conv3x3")


def write(
    path: Path, rows: list[tuple[CellGraph, int, int, float, float]], provenance: dict[str, object] | None = None
) -> Path:
    columns = [
        {
            "cell": graph.key,
            "cell_hash": graph.hash,
            "seed": seed,
            "epochs": epochs,
            "train_error": 0.0,
            "valid_error": valid,
            "test_error": test,
            "cost_s": float(epochs),
            "parameters": 10,
        }
        for graph, seed, epochs, valid, test in rows
    ]
    write_table(path, pa.Table.from_pylist(columns), provenance or {})
    return path


@pytest.fixture
def table(tmp_path: Path) -> Table:
    rows = [(FORK, 0, 4, 0.5, 0.5), (FORK, 0, 8, 0.25, 0.5), (FORK, 1, 4, 0.5, 0.5), (FORK, 1, 8, 0.5, 0.75)]
    rows += [(CHAIN, 0, 4, 0.5, 0.5), (CHAIN, 0, 8, 0.5, 0.25), (CHAIN, 1, 4, 0.5, 0.5), (CHAIN, 1, 8, 0.75, 0.5)]
    return Table(write(tmp_path / "t.parquet", rows[::-1]))


def test_query(table: Table) -> None:
    entry = table.query(FORK)
    assert (entry.valid_errors, entry.test_errors) == ((0.25, 0.5), (0.5, 0.75))
    assert (entry.valid_error, entry.test_error, entry.cost_s, entry.parameters) == (0.375, 0.625, 8.0, 10)
    assert table.timed
    assert table.query(FORK, 4).valid_errors == (0.5, 0.5)
    assert table.describe() == {"cells": 2, "seeds": 2, "epochs": [4, 8]}


def test_means_are_over_the_seeds_that_a_cell_has(tmp_path: Path) -> None:
    rows = [(FORK, 0, 8, 0.125, 0.25), (FORK, 1, 8, 0.375, 0.5), (CHAIN, 0, 8, 0.1875, 0.75)]
    table = Table(write(tmp_path / "t.parquet", rows, {UNEVEN: []}))
    assert table.query(FORK).valid_error == 0.25
    assert (table.query(CHAIN).valid_errors, table.query(CHAIN).cost_s) == ((0.1875,), 8.0)
    assert table.optimum() == (0.1875, 0.375)
    assert table.selected == (0.1875, 0.75)  # what a choice by validation error ends with
    assert [table.rank(error) for error in (0.1875, 0.25)] == [1, 2]
    assert table.describe() == {"cells": 2, "seeds": 1, "most_seeds": 2, "epochs": [8]}


def test_rank(table: Table) -> None:
    assert [table.rank(table.query(graph).valid_error) for graph in (TWIN, CHAIN)] == [1, 2]
    assert (table.rank(0.0), table.rank(1.0)) == (1, 3)


def test_equals_share_a_rank(tmp_path: Path) -> None:
    rows = [(graph, 0, 4, valid, 0.7) for graph, valid in ((FORK, 0.7), (CHAIN, 0.7), (CellGraph.from_key("1"), 0.75))]
    table = Table(write(tmp_path / "t.parquet", rows))
    assert [table.rank(valid) for *_, valid, _ in rows] == [1, 1, 3]


def test_many_at_once(table: Table) -> None:
    valid, test = table.query_many([CHAIN.hash, TWIN.hash, CHAIN.hash], 8)
    assert valid.tolist() == [[0.5, 0.75], [0.25, 0.5], [0.5, 0.75]]
    assert test.tolist() == [[0.25, 0.5], [0.5, 0.75], [0.25, 0.5]]
    assert table.query_many([])[0].shape == (0, 2)
    with pytest.raises(TableError, match="the cell with the hash ffff is not in the table of 2 cells"):
        table.query_many([CHAIN.hash, "ffff"])


def test_a_table_of_several_cell_spaces_is_seen_by_one(tmp_path: Path) -> None:
    rows = [
        {
            "cell": g.key,
            "cell_hash": g.hash,
            "cell_spaces": bits,
            "seed": 0,
            "epochs": 4,
            "valid_error": e,
            "test_error": e,
        }
        for g, bits, e in ((FORK, 0b101, 0.5), (CHAIN, 0b100, 0.25))
    ]
    write_table(tmp_path / "t.parquet", pa.Table.from_pylist(rows), {})
    first, third = (Table(tmp_path / "t.parquet", number) for number in (1, 3))
    assert (len(first), len(third), first.keys) == (1, 2, [FORK.key])
    assert (first.optimum(), third.optimum()) == ((0.5, 0.5), (0.25, 0.25))
    assert first.query(CHAIN).valid_error == 0.25  # it is known, wherever it belongs
    assert (first.query(FORK).cost_s, first.query(FORK).parameters) == (None, None)
    assert not first.timed
    with pytest.raises(TableError, match="has no cell of cell space 2"):
        Table(tmp_path / "t.parquet", 2).optimum()


def test_isomorphic_cells_are_one(table: Table) -> None:
    assert FORK != TWIN
    assert table.query(TWIN) == table.query(FORK)


def test_optimum_is_of_means_and_of_each_part(table: Table) -> None:
    assert table.optimum() == (0.375, 0.375)  # validation: FORK, test: CHAIN


def test_a_digest_is_of_the_content(tmp_path: Path, table: Table) -> None:
    rows = pq.read_table(table.path)
    pq.write_table(rows.replace_schema_metadata({}), tmp_path / "other.parquet", compression="gzip", row_group_size=4)
    assert (tmp_path / "other.parquet").read_bytes() != table.path.read_bytes()
    assert Table(tmp_path / "other.parquet").digest == table.digest
    for name in ("valid_error", "test_error", "cost_s"):
        values = rows[name].to_numpy().copy()
        values[5] = np.nextafter(values[5], np.float32(1))
        changed = rows.set_column(rows.schema.names.index(name), name, pa.array(values))
        write_table(tmp_path / "changed.parquet", changed, table.provenance)
        assert Table(tmp_path / "changed.parquet").digest != table.digest
    write_table(tmp_path / "fewer.parquet", rows.filter(pc.field("seed") == 0), table.provenance)
    assert Table(tmp_path / "fewer.parquet").digest != table.digest


def test_a_digest_is_of_the_cell_space(tmp_path: Path) -> None:
    base = {"epochs": 8, "valid_error": 0.5, "test_error": 0.5}
    one = {**base, "cell": FORK.key, "cell_hash": FORK.hash, "cell_spaces": 0b01, "seed": 0}
    others = [
        {**base, "cell": CHAIN.key, "cell_hash": CHAIN.hash, "cell_spaces": 0b10, "seed": seed} for seed in (0, 1)
    ]
    write_table(tmp_path / "a.parquet", pa.Table.from_pylist([one]), {})
    write_table(tmp_path / "b.parquet", pa.Table.from_pylist([one, *others]), {UNEVEN: True})
    a, b = tmp_path / "a.parquet", tmp_path / "b.parquet"
    assert Table(a, 1).digest == Table(b, 1).digest
    assert len({Table(a).digest, Table(b).digest, Table(b, 2).digest}) == 3


def test_what_is_not_in_the_table_is_refused(table: Table) -> None:
    with pytest.raises(TableError, match="is not in the table of 2 cells"):
        table.query(CellGraph.from_key("111:maxpool3x3"))
    with pytest.raises(TableError, match="no results after 5 epochs"):
        table.query(FORK, 5)


def test_an_incomplete_table_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", [(FORK, 0, 8, 0.5, 0.5), (FORK, 1, 8, 0.5, 0.5), (CHAIN, 0, 8, 0.5, 0.5)])
    with pytest.raises(TableError, match="incomplete: 3 rows for 2 cells x 2 seeds x 1"):
        Table(path)


@pytest.mark.parametrize("error", [7.0, -0.5, float("nan")])
def test_errors_out_of_range_are_refused(tmp_path: Path, error: float) -> None:
    table = Table(write(tmp_path / "t.parquet", [(FORK, 0, 8, error, 0.5)]))
    for read in (table.optimum, lambda: table.query(FORK)):
        with pytest.raises(TableError, match=r"holds errors that are not in \[0, 1\]"):
            read()


def test_the_shipped_table_holds_every_cell_of_space_1() -> None:
    table = Table(find_table(load_card("digits"), 1))
    graphs = CELL_SPACES[1].distinct_graphs()
    assert len(table) == len(graphs) == 2_685
    entries = [table.query(graph) for graph in graphs.values()]
    assert all(len(entry.valid_errors) == 3 and 0 < entry.valid_error < 0.5 for entry in entries)
    seeds = table.valid_error[:, :, -1]
    assert np.corrcoef(seeds[:, 0], seeds[:, 1])[0, 1] > 0.7


@pytest.mark.slow
def test_retraining_gives_the_shipped_rows() -> None:
    """Rounding differs between processors and grows in training, so the spread between seeds is the yardstick."""
    card = load_card("digits")
    table = Table(find_table(card, 1))
    first = int(np.random.default_rng(0).integers(len(table)))
    seeds = card.seeds(1)
    cut = chunks(card, dict.fromkeys(planned(card, 1).values(), seeds), Path())
    keys = next(chunk.cells for chunk in cut if table.keys[first] in chunk.cells)
    rows = train_cells(card, [CellGraph.from_key(key) for key in keys], seeds)
    again = rows.filter(pa.compute.equal(rows["epochs"], 8))["valid_error"].to_numpy().reshape(len(keys), 3)
    shipped = np.array([table.query(CellGraph.from_key(key)).valid_errors for key in keys])
    between_seeds = np.abs(shipped[:, :, None] - shipped[:, None, :]).sum() / (6 * len(keys))
    assert np.abs(again - shipped).mean() <= between_seeds
    assert np.abs(again.mean(axis=1) - shipped.mean(axis=1)).max() < 0.05
