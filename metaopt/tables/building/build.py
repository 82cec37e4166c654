"""Builds the table of a benchmark: trains the cells of a cell space, resumable at any point.

The work is cut into chunks of cells with one wiring. What a chunk has found is a file in a folder of parts; a build
that is started again, also for other cells or with more seeds, trains what no part holds. When every cell has its
seeds, the best ones are trained with more, in the rounds that the card states: the lowest of thousands of single
trainings is mostly luck. The table is put together when all is there.
"""

from __future__ import annotations

import itertools
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import TableError
from metaopt.core.seeds import stream
from metaopt.core.system_errors import explaining
from metaopt.images import load_images
from metaopt.tables.building.networks import NetworkBatch
from metaopt.tables.building.training import train_networks
from metaopt.tables.card import Card, Round
from metaopt.tables.protocol import NetworkScale, Protocol
from metaopt.tables.schema import UNEVEN, write_table

#: Networks trained side by side: so many keep the activations of a step in the cache.
CHUNK_NETWORKS = 27
#: Seeds that a table can tell apart.
MOST_SEEDS = 128


@dataclass(frozen=True)
class Chunk:
    """Cells of one wiring to train together with some seeds, and the folder that their rows go to."""

    card: Card
    cells: tuple[str, ...]
    seeds: tuple[int, ...]
    folder: Path

    @property
    def path(self) -> Path:
        """The file, named after what it holds."""
        content = repr((self.cells, self.seeds))
        return self.folder / f"part-{zlib.crc32(content.encode()):08x}.parquet"


def planned(card: Card, cell_space: int, found: Iterable[CellGraph] = ()) -> Mapping[str, CellGraph]:
    """Returns the distinct cells that a table is to hold by their hashes: all, or a uniform sample and what is found.

    Args:
        card: The benchmark; says how large a sample is.
        cell_space: 1, 2 or 3.
        found: Cells that are to be in it besides, such as those that searches have found.
    """
    graphs = CELL_SPACES[cell_space].distinct_graphs()
    size = card.sample(cell_space)
    if size is None:
        return graphs
    ordered = sorted(graphs)
    drawn = stream(card.name, "sample", cell_space).permutation(len(ordered))[:size]
    chosen = {ordered[index] for index in drawn} | ({graph.hash for graph in found} & graphs.keys())
    return {cell_hash: graph for cell_hash, graph in graphs.items() if cell_hash in chosen}


def chunks(card: Card, missing: Mapping[CellGraph, tuple[int, ...]], folder: Path) -> list[Chunk]:
    """Cuts cells, and the seeds that each lacks, into chunks of one wiring and the same seeds."""
    cut: list[Chunk] = []
    order = sorted(missing.items(), key=_wiring_and_seeds)
    for (_, seeds), group in itertools.groupby(order, key=_wiring_and_seeds):
        keys = [graph.key for graph, _ in group]
        size = max(1, CHUNK_NETWORKS // len(seeds))
        cut += [Chunk(card, tuple(keys[i : i + size]), seeds, folder) for i in range(0, len(keys), size)]
    return cut


def _wiring_and_seeds(item: tuple[CellGraph, tuple[int, ...]]) -> tuple[Any, tuple[int, ...]]:
    return item[0].adjacency, item[1]


def train_chunk(chunk: Chunk) -> int:
    """Trains the cells of a chunk with all its seeds and writes their rows; runs in a worker process.

    Returns:
        How many networks it has trained.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # weights that decay towards zero would slow the arithmetic down tenfold
    rows = train_cells(chunk.card, [CellGraph.from_key(key) for key in chunk.cells], chunk.seeds)
    write_table(chunk.path, rows, {})
    return len(chunk.cells) * len(chunk.seeds)


def train_cells(card: Card, graphs: Sequence[CellGraph], seeds: Sequence[int]) -> pa.Table:
    """Trains cells of one wiring with all seeds; returns rows of the table's schema."""
    networks = [(graph, seed) for graph in graphs for seed in seeds]
    data = load_images(card.text["images"])
    scale, protocol = training(card)
    points = train_networks([g for g, _ in networks], [s for _, s in networks], data, scale, protocol)
    parameters = {graph.key: count_parameters(card, graph) for graph in graphs}
    return pa.Table.from_pylist(
        [
            {
                "cell": graph.key,
                "cell_hash": graph.hash,
                "seed": seed,
                "epochs": point.epochs,
                "train_error": float(point.train_error[n]),
                "valid_error": float(point.valid_error[n]),
                "test_error": float(point.test_error[n]),
                "cost_s": point.cost_s,
                "parameters": parameters[graph.key],
            }
            for n, (graph, seed) in enumerate(networks)
            for point in points
        ]
    )


def count_parameters(card: Card, graph: CellGraph) -> int:
    """Returns the trainable weights of the network of one cell."""
    return sum(p.numel() for p in NetworkBatch([graph], training(card)[0]).parameters())


def training(card: Card) -> tuple[NetworkScale, Protocol]:
    """Returns the size of a benchmark's networks and how they are trained.

    Raises:
        TableError: if they were trained by others, and its table is imported.
    """
    if card.network is None or card.protocol is None:
        raise TableError(f"the table of {card.name} is not built here", f"import it: {card.text['get']}")
    return card.network, card.protocol


def check_out(out: Path) -> None:
    """Checks that a table can be written, before hours are spent on it; makes its folder.

    Raises:
        TableError: if it exists or its folder cannot be made.
    """
    with explaining(f"cannot write a table to {out}", "name a file with --out", TableError):
        if out.exists():
            raise TableError(f"the table {out} exists", "name another file with --out, or remove it")
        out.parent.mkdir(parents=True, exist_ok=True)


def build(
    card: Card,
    graphs: Mapping[str, CellGraph],
    seeds: tuple[int, ...],
    rounds: Sequence[Round],
    folder: Path,
    out: Path,
    run: Callable[[Callable[[Chunk], int], Sequence[Chunk]], Iterable[int]],
    provenance: dict[str, Any],
    report: Callable[[int, int], None],
) -> None:
    """Trains what is missing and writes the table.

    Args:
        card: The benchmark.
        graphs: The cells by their hashes.
        seeds: Of the trainings of every cell.
        rounds: Which cells are trained with further ones.
        folder: Where finished parts are kept.
        out: The table to write.
        run: Runs a function on many chunks, in any order and place; yields what it returns as they finish.
        provenance: Goes into the table; the wall seconds of this call and the CPU seconds of training are added.
        report: Called with trainings done and trainings in all, at first and after every chunk.

    Raises:
        TableError: if ``out`` exists.
    """
    check_out(out)
    with explaining(f"cannot keep finished parts in {folder}", "choose another METAOPT_HOME", TableError):
        folder.mkdir(parents=True, exist_ok=True)
    started, last_epoch = time.monotonic(), max(training(card)[1].epochs)
    order = (*seeds, *(seed for seed in range(MOST_SEEDS) if seed not in seeds))
    plan, over = dict.fromkeys(graphs, len(seeds)), False
    while not over:
        wanted = {graph: order[: plan[cell_hash]] for cell_hash, graph in graphs.items()}
        _train(lacking(wanted, folder), sum(plan.values()), card, folder, run, report)
        trained = _parts(folder).filter(pc.field("epochs") == last_epoch)
        before, plan = plan, planned_seeds(trained, plan, rounds, order)
        over = plan == before
    rows = _of_plan(_parts(folder), wanted)
    trainings = rows.filter(pc.field("epochs") == last_epoch)
    uneven = {UNEVEN: [asdict(of) for of in rounds]} if len(set(plan.values())) > 1 else {}
    made = {
        "wall_s": round(time.monotonic() - started, 1),
        "training_cpu_s": round(pc.sum(trainings["cost_s"]).as_py(), 1),
        "cells": len(graphs),
        "trainings": len(trainings),
    }
    write_table(out, rows, {**provenance, **uneven, **made}, new=True)


def _train(
    missing: Mapping[CellGraph, tuple[int, ...]],
    total: int,
    card: Card,
    folder: Path,
    run: Callable[[Callable[[Chunk], int], Sequence[Chunk]], Iterable[int]],
    report: Callable[[int, int], None],
) -> None:
    done = total - sum(map(len, missing.values()))
    report(done, total)
    for trained in run(train_chunk, chunks(card, missing, folder)):
        done += trained
        report(done, total)


def planned_seeds(
    trainings: pa.Table, plan: Mapping[str, int], rounds: Sequence[Round], order: Sequence[int]
) -> dict[str, int]:
    """Returns how many seeds each cell is to have, as far as the errors of what is trained can tell.

    A round is over when the best cells, ranked by the means over the seeds that each is to have, have as many seeds as
    the round says. Cells that more seeds have thrown back make room for others. Of equal means the lower hash leads.

    Args:
        trainings: Rows after the last epoch; all that ``plan`` wants are among them.
        plan: Seeds by the hash of each cell so far.
        rounds: In their order.
        order: In which seeds are used.
    """
    hashes = sorted(plan)
    rows = trainings.filter(pc.is_in(trainings["cell_hash"], pa.array(hashes)))
    cell, counts = np.searchsorted(hashes, rows["cell_hash"].to_pylist()), np.array([plan[key] for key in hashes])
    nth = np.argsort(order)[rows["seed"].to_numpy()]
    errors = [rows[name].to_numpy().astype(float) for name in ("valid_error", "test_error")]
    for of in rounds:
        while True:
            counted = nth < counts[cell]
            there = np.bincount(cell[counted], minlength=len(hashes))
            if (there < counts).any():
                return dict(zip(hashes, counts.tolist(), strict=True))
            means = [np.bincount(cell[counted], error[counted]) / there for error in errors]
            best = np.unique([np.argsort(mean.round(7), kind="stable")[: of.cells] for mean in means])
            if (counts[best] >= of.seeds).all():
                break
            counts[best] = np.maximum(counts[best], of.seeds)
    return dict(zip(hashes, counts.tolist(), strict=True))


def _of_plan(rows: pa.Table, wanted: Mapping[CellGraph, tuple[int, ...]]) -> pa.Table:
    """Returns the rows that are wanted; parts may hold more, of other cells and seeds."""
    trainings = {(graph.hash, seed) for graph, seeds in wanted.items() for seed in seeds}
    there = zip(rows["cell_hash"].to_pylist(), rows["seed"].to_pylist(), strict=True)
    return rows.filter(pa.array([training in trainings for training in there]))


def lacking(wanted: Mapping[CellGraph, tuple[int, ...]], folder: Path) -> dict[CellGraph, tuple[int, ...]]:
    """Returns the cells that no part in ``folder`` holds with all their seeds, and the seeds that each lacks."""
    there: set[tuple[str, int]] = set()
    if any(folder.glob(_PARTS)):
        rows = _parts(folder, ["cell_hash", "seed"])
        there = set(zip(rows["cell_hash"].to_pylist(), rows["seed"].to_pylist(), strict=True))
    lacks = {graph: tuple(s for s in seeds if (graph.hash, s) not in there) for graph, seeds in wanted.items()}
    return {graph: seeds for graph, seeds in lacks.items() if seeds}


def _parts(folder: Path, columns: list[str] | None = None) -> pa.Table:
    return pa.concat_tables(pq.read_table(path, columns=columns) for path in sorted(folder.glob(_PARTS)))


_PARTS = "part-*.parquet"
