"""``metaopt benchmark import``."""

from __future__ import annotations

import shlex
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from metaopt.cells.space import CELL_SPACES
from metaopt.cli import OK
from metaopt.core import paths
from metaopt.core.errors import ConfigError, TableError
from metaopt.core.machine import command_line, cores, host, versions
from metaopt.core.registry import resolve
from metaopt.core.system_errors import explaining
from metaopt.core.wording import command, counted, listed
from metaopt.runs.progress import duration
from metaopt.tables.building.build import check_out
from metaopt.tables.card import load_card
from metaopt.tables.files import making
from metaopt.tables.importers import BENCHMARKS, IMPORTERS
from metaopt.tables.importers.evaluations import Evaluations
from metaopt.tables.importers.rules import Report
from metaopt.tables.schema import write_groups

_PAUSE_S = 0.5
_LINES_PAUSE_S = 10.0  # where every report stays
#: Reads a file, see :mod:`metaopt.tables.importers`.
Importer = Callable[[Path, Report], tuple[Evaluations, dict[str, Any]]]


def import_table(arguments: Namespace) -> int:
    """Converts a published file to a table, and says what came in."""
    importer, file = resolve("importer", IMPORTERS, arguments.importer), arguments.file
    benchmark = arguments.benchmark or BENCHMARKS.get(arguments.importer)
    out = arguments.out or _table_of(benchmark, arguments.importer)
    with explaining(f"cannot read {file}", kind=TableError):
        there = file.is_file()
    if not there:
        raise TableError(f"there is no file {file}", "name the file to import; metaopt does not download it")
    check_out(out)
    with making(out):
        check_out(out)  # which another import may have made since
        evaluations, found = _imported(importer, arguments.importer, file, out)
    print("\n".join(_summary(evaluations, found)))
    print(f"table        {out}")
    if benchmark is not None and arguments.out is None:
        print(f"next         {command('benchmark', 'info', benchmark)}")
    return OK


def _imported(importer: Importer, name: str, file: Path, out: Path) -> tuple[Evaluations, dict[str, Any]]:
    """Reads a file and writes the table; returns what came in, and where it is from."""
    progress = _Progress(file, sys.stderr)
    evaluations, found = importer(file, progress)
    progress.checked(found.get("records"), found.get("read_s"))
    made = {"command": shlex.join(command_line()), "importer": name, "versions": versions()}
    write_groups(out, evaluations.groups(), {**made, "host": host(cores()), **found}, new=True)
    progress.written()
    return evaluations, found


def _table_of(benchmark: str | None, importer: str) -> Path:
    """Returns where the table of a benchmark belongs."""
    if benchmark is None:
        raise ConfigError(
            f"{importer} does not know of which benchmark the table is",
            "name it with --as BENCHMARK, or a file with --out FILE",
        )
    card = load_card(benchmark)
    if "{" in card.text["table"]:
        raise ConfigError(
            f"benchmark {benchmark} has a table per cell space, which metaopt builds and does not import",
            "name another benchmark with --as, or a file with --out FILE",
        )
    return paths.home() / "tables" / card.table_name(1)


def _summary(evaluations: Evaluations, found: Mapping[str, Any]) -> list[str]:
    seeds, epochs = len(evaluations.seeds), listed(evaluations.epochs, "epoch")
    lines = [f"cells        {len(evaluations.keys):,}, {counted(seeds, 'seed')} each, after {epochs}"]
    for number, space in CELL_SPACES.items():
        there, distinct = evaluations.of_space(number), space.n_distinct
        lines.append(f"cell space {number} {there:,} of {distinct:,} distinct cells ({there / distinct:.1%})")
    if "published_as" in found:
        known = f"that of the published {name}" if (name := found["published_as"]) else "unknown, of no published file"
        lines.append(f"SHA-256      {found['sha256']}: {known}")
    if "hashes_verified" in found:
        lines.append(
            f"hashes       {found['hashes_verified']:,} of {len(evaluations.keys):,} computed again, all equal"
        )
    return lines


class _Progress:
    """Says how much of a file is read, and how many of its cells are checked: on a terminal live, elsewhere by lines.

    Args:
        file: The file.
        to: Where to say it.
    """

    def __init__(self, file: Path, to: TextIO) -> None:
        self._to, self._live = to, to.isatty()
        self._pause_s = _PAUSE_S if self._live else _LINES_PAUSE_S
        self._started = self._said_at = self._checking_since = time.monotonic()
        self._say(f"reading {file}, {file.stat().st_size:,} bytes", "\n")

    def __call__(self, done: int, total: int, what: str = "bytes") -> None:
        """Takes the bytes that are read or the cells that are checked, and all."""
        now = time.monotonic()
        if what == "bytes" and done >= total:
            gone_s, self._checking_since = max(now - self._started, 1e-3), now
            self._say(f"{self._start}read in {duration(gone_s)}, {done / gone_s / 1e6:.1f} MB/s; checking cells", "\n")
        elif now - self._said_at >= self._pause_s:
            gone_s = max(now - (self._started if what == "bytes" else self._checking_since), 1e-3)
            speed = f"{done / gone_s / 1e6:.1f} MB/s" if what == "bytes" else f"{done / gone_s:,.0f} {what}/s"
            left = duration((total - done) / done * gone_s)
            self._said_at = now
            self._say(
                f"{self._start}{done / total:4.0%} of the {what}, {speed}, about {left} left",
                "" if self._live else "\n",
            )

    def checked(self, records: int | None, read_s: float | None) -> None:
        """Says that the cells are checked, and how many records were read per second, where there are records."""
        speed = f"{records:,} records, {records / max(read_s, 0.1):,.0f} records/s; " if records and read_s else ""
        self._say(f"{self._start}{speed}writing the table", "\n")

    def written(self) -> None:
        """Says that all is done."""
        self._say(f"imported in {duration(time.monotonic() - self._started)}", "\n")

    @property
    def _start(self) -> str:
        """Goes back to the start of a line on a terminal, and wipes it."""
        return "\r\x1b[K" if self._live else ""

    def _say(self, text: str, end: str) -> None:
        print(text, end=end, file=self._to, flush=True)
