"""The parts of every page: sections with sentences, figures and tables, and how numbers are written in them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from metaopt.report.document.numbers import decimals
from metaopt.report.figures.style import Plot

#: Stands where there is no value.
NONE = "–"
_NUMBER = re.compile(r"[<+-]?\s?[.\d]")

Record = dict[str, object]


@dataclass(frozen=True)
class Headline:
    """The one finding of a run or search, shown large.

    Attributes:
        tone: ``better``, ``worse``, ``inconclusive``, or ``open`` where nothing was confirmed.
        number: The one number, e.g. ``2.4×``; a dash where there is none.
        label: What the number is.
        sentence: The finding with its uncertainty.
        badge: Word beside the label; empty for the tone.
    """

    tone: str
    number: str
    label: str
    sentence: str
    badge: str = ""


def number(value: float | None) -> str:
    """Returns an error or regret with four decimals, a dash for none."""
    return NONE if value is None or math.isnan(value) else decimals(value, 4)


def times(ratio: float | None) -> str:
    """Returns a ratio with two decimals and a times sign, a dash for none."""
    return NONE if ratio is None else f"{decimals(ratio, 2)}×"


def value_text(value: Any) -> str:
    """Returns any value for a table: floats with four digits, a dash for none."""
    if value is None or value == "":
        return NONE
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def span(interval: tuple[float, float] | None, show: Callable[[float], str] = number) -> str:
    """Returns an interval as text, a dash for none."""
    return NONE if interval is None else " to ".join(map(show, interval))


@dataclass(frozen=True)
class Column:
    """A column of a table, for readers, for programs or for both.

    Attributes:
        head: Heading for readers; None if the column is in CSV files only.
        key: Name in CSV files; empty if the column is for readers only.
        value: Takes the value from a row; by default the row's attribute called ``key``.
        show: Turns the value into text for readers.
    """

    head: str | None
    key: str = ""
    value: Callable[[Any], Any] | None = None
    show: Callable[[Any], str] = value_text

    def of(self, row: Any) -> Any:
        """Returns the value of a row."""
        return getattr(row, self.key) if self.value is None else self.value(row)


@dataclass(frozen=True)
class PageTable:
    """A table whose columns are declared once: text, CSV and LaTeX follow.

    Attributes:
        title: What it holds.
        columns: In order.
        rows: Records that the columns take their values from.
        folded: True if it starts closed.
        name: Of its LaTeX file, without suffix; made from the title if empty.
        file: Of its CSV file, without suffix; empty if it has none.
        anchor: Returns the place of a row on the page, for links to it.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Any, ...]
    folded: bool = False
    name: str = ""
    file: str = ""
    anchor: Callable[[Any], str] | None = None

    @property
    def head(self) -> tuple[str, ...]:
        """Headings for readers."""
        return tuple(column.head for column in self.columns if column.head is not None)

    @cached_property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """Rows as text for readers."""
        shown = [column for column in self.columns if column.head is not None]
        return tuple(tuple(column.show(column.of(row)) for column in shown) for row in self.rows)

    @property
    def records(self) -> list[Record]:
        """Rows as values for programs."""
        kept = [column for column in self.columns if column.key]
        return [{column.key: column.of(row) for column in kept} for row in self.rows]

    @cached_property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column for readers holds numbers only, which are aligned to the right; the first never does."""
        cells = self.cells
        return tuple(
            place > 0 and any(_NUMBER.match(row[place]) for row in cells) and all(map(_is_number, column))
            for place, column in enumerate(zip(*cells, strict=True))
        ) or (False,) * len(self.head)


def _is_number(cell: str) -> bool:
    return cell in ("", NONE) or _NUMBER.match(cell) is not None


def cells_table(title: str, head: Iterable[str], rows: Iterable[tuple[Any, ...]], **settings: Any) -> PageTable:
    """Returns a table for readers only, of rows that are tuples with a value per heading."""
    columns = tuple(Column(name, value=itemgetter(place)) for place, name in enumerate(head))
    return PageTable(title, columns, tuple(rows), **settings)


def records_table(file: str, records: Iterable[Record]) -> PageTable:
    """Returns a table for programs only, of records that all have the same keys."""
    rows = tuple(records)
    return PageTable(
        file, tuple(Column(None, key, itemgetter(key)) for key in (rows[0] if rows else ())), rows, file=file
    )


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: Heading.
        notes: Sentences on how to read it; ``**`` around words makes them stand out.
        tables: Tables for readers.
        plots: Figures in their order.
        level: Of the heading: 2 for a section, 3 for a part of one.
        data: Tables that are CSV files only.
        name: Its place on the page; made from the title if empty.
    """

    title: str
    notes: tuple[str, ...] = ()
    tables: tuple[PageTable, ...] = ()
    plots: tuple[Plot, ...] = ()
    level: int = 2
    data: tuple[PageTable, ...] = ()
    name: str = ""
