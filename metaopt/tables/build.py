"""Builds the table of a benchmark: trains every distinct cell of a cell space, resumable at any point.

The work is cut into chunks of cells with one wiring. A finished chunk is a file; a build that is started again goes on
with the chunks that have none. The table is put together when all are there.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.errors import TableError
from metaopt.images import IMAGES
from metaopt.tables.card import Card
from metaopt.tables.networks import NetworkBatch
from metaopt.tables.schema import SCHEMA, write_table
from metaopt.tables.training import train_networks

#: Cells trained side by side: with three seeds, 27 networks keep the activations of a step in the cache.
CHUNK_CELLS = 9


@dataclass(frozen=True)
class Chunk:
    """Cells of one wiring to train together, and the file their rows go to."""

    card: Card
    cells: tuple[str, ...]
    path: Path


def chunks(card: Card, cell_space: int, folder: Path) -> list[Chunk]:
    """Cuts all distinct cells of a cell space into chunks of one wiring, always in the same way."""
    graphs = CELL_SPACES[cell_space].distinct_graphs().values()
    found: list[Chunk] = []
    for _, group in itertools.groupby(graphs, key=lambda graph: graph.adjacency):
        keys = [graph.key for graph in group]
        for start in range(0, len(keys), CHUNK_CELLS):
            path = folder / f"part-{len(found):05d}.parquet"
            found.append(Chunk(card, tuple(keys[start : start + CHUNK_CELLS]), path))
    return found


def train_chunk(chunk: Chunk) -> float:
    """Trains the cells of a chunk with all seeds and writes their rows; runs in a worker process.

    Returns:
        CPU seconds of training.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # weights that decay towards zero would slow the arithmetic down tenfold
    rows = train_cells(chunk.card, [CellGraph.from_key(key) for key in chunk.cells])
    write_table(chunk.path, rows, {})
    last = max(chunk.card.protocol.epochs)
    return float(sum(row["cost_s"] for row in rows.to_pylist() if row["epochs"] == last))


def train_cells(card: Card, graphs: Sequence[CellGraph]) -> pa.Table:
    """Trains cells of one wiring with all seeds of the card; returns rows of the table's schema."""
    networks = [(graph, seed) for graph in graphs for seed in card.seeds]
    data = IMAGES[card.text["images"]]()
    points = train_networks([g for g, _ in networks], [s for _, s in networks], data, card.network, card.protocol)
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
        ],
        schema=SCHEMA,
    )


def count_parameters(card: Card, graph: CellGraph) -> int:
    """Returns the trainable weights of the network of one cell."""
    return sum(p.numel() for p in NetworkBatch([graph], card.network).parameters())


def check_out(out: Path) -> None:
    """Checks that a table can be written, before hours are spent on it; makes its folder.

    Raises:
        TableError: if it exists or its folder cannot be made.
    """
    if out.exists():
        raise TableError(f"the table {out} exists", "name another file with --out, or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TableError(f"cannot write a table to {out}: {error.strerror}", "name a file with --out") from None


def build(
    card: Card,
    cell_space: int,
    folder: Path,
    out: Path,
    run: Callable[[Callable[[Chunk], float], Sequence[Chunk]], Iterable[float]],
    provenance: dict[str, Any],
    report: Callable[[int, int, float], None],
) -> None:
    """Trains what is missing and writes the table.

    Args:
        card: The benchmark.
        cell_space: 1, 2 or 3.
        folder: Where finished chunks are kept.
        out: The table to write.
        run: Runs a function on many chunks, in any order and place; yields what it returns as they finish.
        provenance: Goes into the table; the wall seconds of this call and the CPU seconds of training are added.
        report: Called with chunks done, chunks in all, and the seconds left, after every chunk.

    Raises:
        TableError: if ``out`` exists.
    """
    check_out(out)
    folder.mkdir(parents=True, exist_ok=True)
    todo = chunks(card, cell_space, folder)
    missing = [chunk for chunk in todo if not chunk.path.exists()]
    started = time.monotonic()
    report(len(todo) - len(missing), len(todo), float("nan"))
    for done, _ in enumerate(run(train_chunk, missing), start=1):
        pace_s = (time.monotonic() - started) / done
        report(len(todo) - len(missing) + done, len(todo), pace_s * (len(missing) - done))
    rows = pa.concat_tables(pq.read_table(chunk.path) for chunk in todo)
    rows = rows.sort_by([("cell_hash", "ascending"), ("seed", "ascending"), ("epochs", "ascending")])
    last = max(card.protocol.epochs)
    cost_s = sum(row["cost_s"] for row in rows.select(["epochs", "cost_s"]).to_pylist() if row["epochs"] == last)
    cells = len(rows["cell_hash"].unique())
    wall_s = round(time.monotonic() - started, 1)
    write_table(out, rows, {**provenance, "wall_s": wall_s, "training_cpu_s": round(cost_s, 1), "cells": cells})
