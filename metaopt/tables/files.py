"""Where the tables of a benchmark are: shipped, or in the folder of what the user builds and imports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metaopt.core import paths
from metaopt.core.errors import TableError
from metaopt.core.file_lock import holding
from metaopt.core.wording import command
from metaopt.tables.card import Card


def find_table(card: Card, cell_space: int) -> Path:
    """Returns the table of a benchmark and cell space: the shipped one, else the user's own.

    Raises:
        TableError: if there is neither; says how to get it.
    """
    name = card.table_name(cell_space)
    for place in _places(name):
        if place.is_file():
            return place
    looked = " and ".join(map(str, _places(name)))
    raise TableError(
        f"no table of benchmark {card.name!r} for cell space {cell_space}: looked for {looked}", _get(card, cell_space)
    )


def find_predictions(card: Card, cell_space: int) -> Path | None:
    """Returns the predictions of a benchmark's surrogate for a cell space, looked for as the table is; None if none."""
    name = f"{card.name}-{cell_space}.surrogate.parquet"
    return next((place for place in _places(name) if place.is_file()), None)


@contextmanager
def making(out: Path) -> Iterator[None]:
    """Holds the name of a table, or of predictions, while it is made; the folder must be there.

    Raises:
        TableError: if another process is making it: the work of one of the two would be lost.
        RunError: if nothing can be locked there.
    """

    def busy(holder: str) -> TableError:
        hint = "wait until it has ended, or name another one with --out"
        return TableError(f"{holder} is making {out} right now", hint)

    with holding(out.with_name(f".{out.name}.lock"), busy):
        yield


def _places(name: str) -> list[Path]:
    return [paths.data_folder("benchmarks") / "tables" / name, paths.home() / "tables" / name]


def _get(card: Card, cell_space: int) -> str:
    if card.protocol is None:
        return f"import it: {card.text['get']}"
    return (
        "build it, with all cores busy for an hour or many: "
        f"{command('benchmark', 'build', card.name, '--cell-space', cell_space)}"
    )
