"""A section of a study's page, and how it becomes Markdown, CSV, LaTeX and figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from metaopt.report.document.files import Names
from metaopt.report.document.latex import latex_table
from metaopt.report.document.numbers import written
from metaopt.report.document.section import PageTable
from metaopt.report.figures.style import Plot, render, slug

Record = dict[str, object]


@dataclass(frozen=True)
class Part:
    """A section: tables, remarks, the files that the tables are in, figures.

    Attributes:
        title: Heading.
        notes: Paragraphs of Markdown after the tables.
        tables: Each under its title if there are several. One that is ``folded`` stands in its files only.
        records: Content of CSV files by their names; numbers in six digits.
        plots: Figures in their order.
        level: Of the heading: 2 for a section, 3 for a part of one.
    """

    title: str
    notes: tuple[str, ...] = ()
    tables: tuple[PageTable, ...] = ()
    records: dict[str, list[Record]] = field(default_factory=dict)
    plots: tuple[Plot, ...] = ()
    level: int = 2


def section(part: Part, files: dict[str, bytes], names: Names) -> Iterator[str]:
    """Returns the Markdown of a section, line by line, and adds its files.

    Args:
        part: The section.
        files: Content by path, of all sections so far.
        names: Of these files; a file whose name is taken gets another one.
    """
    yield from (f"{'#' * part.level} {part.title}", "")
    for table in part.tables:
        if len(part.tables) > 1:
            yield from (f"**{table.title}**", "")
        yield from (*(_markdown(table) if not table.folded else _left_out(table)), "")
    for note in part.notes:
        yield from (note, "")
    rows = {f"{names.take(name.removesuffix('.csv'))}.csv": _csv(records) for name, records in part.records.items()}
    tex = {
        f"{names.take(f'tables/{table.name or slug(table.title.lower())}')}.tex": latex_table(table)
        for table in part.tables
    }
    files |= {**rows, **tex}
    if rows or tex:
        links = "; as LaTeX: ".join(", ".join(f"[{name}]({name})" for name in some) for some in (rows, tex) if some)
        yield from (f"{'In full' if rows else 'As LaTeX'}: {links}.", "")
    for plot in part.plots:
        path = names.take(f"figures/{plot.name}")
        picture = render(plot)
        files |= {f"{path}.svg": picture.svg, f"{path}.png": picture.png}
        yield from (f"![{picture.title}]({path}.svg)", "", picture.caption, "")


def _left_out(table: PageTable) -> Iterator[str]:
    yield f"{table.title}: {len(table.rows)} rows, which stand in the files below."


def _markdown(table: PageTable) -> Iterator[str]:
    yield _row(table.head)
    yield _row([column for column, _ in zip(cycle(["---"]), table.head, strict=False)])
    yield from map(_row, table.rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _csv(records: Sequence[Record]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: written(value) for name, value in record.items()})
    return text.getvalue().encode("utf-8")
