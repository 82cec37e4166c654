"""``metaopt benchmark list``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from metaopt.cells.space import CELL_SPACES
from metaopt.cli import OK
from metaopt.core.errors import TableError
from metaopt.tables.card import Card, card_names, load_card
from metaopt.tables.files import find_table


def list_benchmarks(arguments: Namespace) -> int:
    """Prints the benchmarks and the cell spaces they have a table of."""
    for name in card_names():
        card = load_card(name)
        spaces = [str(number) for number in CELL_SPACES if shipped_or_own(card, number) is not None]
        print(f"{name:<12} {card.text['title']}; tables of cell space {', '.join(spaces) or 'none'}")
    return OK


def shipped_or_own(card: Card, cell_space: int) -> Path | None:
    """Returns the table of a benchmark and cell space; None if there is none."""
    try:
        return find_table(card, cell_space)
    except TableError:
        return None
