"""``metaopt benchmark list|info|build``."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from metaopt import paths
from metaopt.cli import OK
from metaopt.cli.countdown import Countdown
from metaopt.config import cores
from metaopt.errors import ConfigError, TableError
from metaopt.executors.local_cluster import local_cluster, run_all
from metaopt.provenance import command_line, host, versions
from metaopt.tables.build import build as build_table
from metaopt.tables.build import check_out
from metaopt.tables.card import Card, card_names, load_card
from metaopt.tables.table import Table, find_table

_CELL_SPACES = (1, 2, 3)


def list_benchmarks(arguments: Namespace) -> int:
    """Prints the shipped benchmarks and the cell spaces they have a table of."""
    for name in card_names():
        card = load_card(name)
        spaces = [str(number) for number in _CELL_SPACES if _table(card, number) is not None]
        print(f"{name:<12} {card.text['title']}; tables of cell space {', '.join(spaces) or 'none'}")
    return OK


def info(arguments: Namespace) -> int:
    """Prints the card of a benchmark and what its tables hold."""
    card = load_card(arguments.benchmark)
    for key, value in card.text.items():
        _print_entry(key, value, 0)
    for number in _CELL_SPACES:
        path = _table(card, number)
        print(f"\ntable of cell space {number}: " + ("none" if path is None else str(path)))
        if path is not None:
            _print_table(Table(path))
    return OK


def _print_entry(key: str, value: Any, depth: int) -> None:
    indent = "  " * depth
    if isinstance(value, dict):
        print(f"{indent}{key}:")
        for name, entry in value.items():
            _print_entry(name, entry, depth + 1)
    else:
        print(f"{indent}{key}: {' '.join(str(value).split())}")


def _print_table(table: Table) -> None:
    valid, test = table.optimum()
    print(f"  {len(table)} cells x {len(table.seeds)} seeds, after {', '.join(map(str, table.epochs))} epochs")
    print(f"  lowest mean over the seeds of any cell: validation error {valid:.4f}, test error {test:.4f}")
    print("  measured: all of it; predicted: none")
    for key, value in table.provenance.items():
        _print_entry(key, value, 1)


def _table(card: Card, cell_space: int) -> Path | None:
    try:
        return find_table(card, cell_space)
    except TableError:
        return None


def build(arguments: Namespace) -> int:
    """Trains every cell of a cell space on worker processes and writes the table; goes on where it was stopped."""
    card = load_card(arguments.benchmark)
    workers = cores() if arguments.workers is None else arguments.workers
    if workers < 1:
        raise ConfigError(f"workers is {workers}; allowed: 1 or more", "leave out --workers for one per core")
    name = card.table_name(arguments.space)
    out = arguments.out or paths.home() / "tables" / name
    folder = paths.home() / "build" / f"{Path(name).stem}-{card.digest}"
    check_out(out)
    provenance = {
        "command": shlex.join(command_line()),
        "versions": versions(),
        "host": host(cores()),
        "workers": workers,
        "seeds": list(card.seeds),
    }
    print(f"finished chunks are kept in {folder}; a build that is started again goes on from there", file=sys.stderr)
    with local_cluster(workers) as client:
        build_table(card, arguments.space, folder, out, partial(run_all, client), provenance, Countdown("chunks"))
    print(f"table: {out}")
    return OK
