"""``metaopt benchmark import``."""

from __future__ import annotations

import shlex
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TextIO

from metaopt import paths
from metaopt.cells.space import CELL_SPACES
from metaopt.cli import OK
from metaopt.config import cores
from metaopt.errors import ConfigError, TableError
from metaopt.progress import duration
from metaopt.provenance import command_line, host, versions
from metaopt.registry import resolve
from metaopt.tables.build import check_out
from metaopt.tables.card import load_card
from metaopt.tables.importers import BENCHMARKS, IMPORTERS
from metaopt.tables.importers.evaluations import Evaluations
from metaopt.tables.schema import write_groups
from metaopt.wording import command, counted

_PAUSE_S = 0.5


def import_table(arguments: Namespace) -> int:
    """Converts a published file to a table, and says what came in."""
    importer, file = resolve("importer", IMPORTERS, arguments.importer), arguments.file
    benchmark = arguments.benchmark or BENCHMARKS.get(arguments.importer)
    out = arguments.out or _table_of(benchmark, arguments.importer)
    if not file.is_file():
        raise TableError(f"there is no file {file}", "name the file to import; metaopt does not download it")
    check_out(out)
    progress = _Progress(file, sys.stderr)
    evaluations, found = importer(file, progress)
    progress.checked(found.get("records"), found.get("read_s"))
    made = {"command": shlex.join(command_line()), "importer": arguments.importer, "versions": versions()}
    write_groups(out, evaluations.groups(), {**made, "host": host(cores()), **found})
    progress.written()
    print("\n".join(_summary(evaluations, found)))
    print(f"table        {out}")
    if benchmark is not None and arguments.out is None:
        print(f"next         {command('benchmark', 'info', benchmark)}")
    return OK


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


def _summary(evaluations: Evaluations, found: dict[str, object]) -> list[str]:
    seeds, epochs = len(evaluations.seeds), ", ".join(map(str, evaluations.epochs))
    lines = [f"cells        {len(evaluations.keys):,}, {counted(seeds, 'seed')} each, after {epochs} epochs"]
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
    """Says on a terminal how much of a file is read, and elsewhere only that it begins and ends.

    Args:
        file: The file.
        to: Where to say it.
    """

    def __init__(self, file: Path, to: TextIO) -> None:
        self._to, self._live = to, to.isatty()
        self._started = self._said_at = time.monotonic()
        self._say(f"reading {file}, {file.stat().st_size:,} bytes", "\n")

    def __call__(self, done: int, size: int) -> None:
        """Takes the bytes that are read, and all."""
        now = time.monotonic()
        gone_s = max(now - self._started, 1e-3)
        if done >= size:
            self._say(f"{self._start}read in {duration(gone_s)}, {done / gone_s / 1e6:.1f} MB/s; checking cells", "\n")
        elif self._live and now - self._said_at >= _PAUSE_S:
            self._said_at = now
            left = duration((size - done) / done * gone_s)
            self._say(f"{self._start}{done / size:4.0%}, {done / gone_s / 1e6:.1f} MB/s, about {left} left", "")

    def checked(self, records: int | None, read_s: float | None) -> None:
        """Says that the cells are checked, and how many records were read per second, where there are records."""
        speed = f"{records:,} records, {records / max(read_s, 0.1):,.0f} records/s; " if records and read_s else ""
        self._say(f"{speed}writing the table", "\n")

    def written(self) -> None:
        """Says that all is done."""
        self._say(f"imported in {duration(time.monotonic() - self._started)}", "\n")

    @property
    def _start(self) -> str:
        """Goes back to the start of a line on a terminal, and wipes it."""
        return "\r\x1b[K" if self._live else ""

    def _say(self, text: str, end: str) -> None:
        print(text, end=end, file=self._to, flush=True)
