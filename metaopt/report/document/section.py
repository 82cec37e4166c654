"""What a page is made of: sections with remarks, figures and tables, and how numbers are written in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from metaopt.report.document.numbers import decimals
from metaopt.report.figures.style import Plot

#: Stands where there is no value.
NONE = "–"


@dataclass(frozen=True)
class PageTable:
    """A table of plain text.

    Attributes:
        title: What it holds.
        head: Column names.
        rows: As many cells per row as there are columns.
        folded: True if it starts closed.
        name: Of a file with it, without suffix; made from the title if empty.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False
    name: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: Anchor.
        title: Heading.
        notes: Sentences before everything else.
        plots: Figures in their order.
        tables: Tables after the figures.
    """

    name: str
    title: str
    notes: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    tables: tuple[PageTable, ...] = ()


def number(value: float | None) -> str:
    """Returns an error or regret with four decimals, a dash for none."""
    return NONE if value is None or math.isnan(value) else decimals(value, 4)


def times(ratio: float | None) -> str:
    """Returns a ratio with two decimals and a times sign, a dash for none."""
    return NONE if ratio is None else f"{decimals(ratio, 2)}×"


def value_text(value: Any) -> str:
    """Returns a hyperparameter's value for a table; a dash if it is inactive."""
    if value is None:
        return NONE
    return f"{value:.4g}" if isinstance(value, float) else str(value)
