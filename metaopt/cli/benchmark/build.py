"""``metaopt benchmark build``; apart from ``list`` and ``info``, which need neither torch nor Dask."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from functools import partial

from metaopt.cli import OK
from metaopt.cli.benchmark.found import found_cells
from metaopt.cli.pace import Pace
from metaopt.core import paths
from metaopt.core.errors import ConfigError
from metaopt.core.file_lock import alone_in
from metaopt.core.machine import command_line, cores, host, versions
from metaopt.executors.dask.local import local_cluster, run_all
from metaopt.tables.building.build import build as build_table
from metaopt.tables.building.build import check_out, planned, training
from metaopt.tables.card import load_card
from metaopt.tables.files import making


def build(arguments: Namespace) -> int:
    """Trains the cells of a cell space on worker processes and writes the table; goes on where it was stopped."""
    card, space = load_card(arguments.benchmark), arguments.cell_space
    training(card)
    workers = cores() if arguments.workers is None else arguments.workers
    if workers < 1:
        raise ConfigError(f"workers is {workers}; allowed: 1 or more", "leave out --workers for one per core")
    out = arguments.out or paths.home() / "tables" / card.table_name(space)
    folder = paths.home() / "build" / f"{card.name}-{space}-{card.digest}"
    check_out(out)
    found = (graph for run in arguments.found for graph in found_cells(run)[1])
    graphs, seeds = planned(card, space, found), card.seeds(space)
    provenance = {
        "command": shlex.join(command_line()),
        "versions": versions(),
        "host": host(cores()),
        "workers": workers,
        "seeds": list(seeds),
    }
    print(f"finished parts are kept in {folder}; a build that is started again goes on from there", file=sys.stderr)
    with making(out), alone_in(folder, "benchmark build"), local_cluster(workers) as client:
        run = partial(run_all, client)
        build_table(card, graphs, seeds, card.rounds(space), folder, out, run, provenance, Pace("networks"))
    print(f"table: {out}")
    return OK
