"""A page before it becomes HTML or Markdown: its words, and its sections with figures and files rendered."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from metaopt.report.document.files import Names
from metaopt.report.document.latex import latex_table
from metaopt.report.document.numbers import written
from metaopt.report.document.section import Headline, PageTable, Section
from metaopt.report.figures.style import Picture, render, slug


@dataclass(frozen=True)
class RenderedSection:
    """A section whose figures and tables are files.

    Attributes:
        section: What it says.
        name: Its place on the page, unique there.
        pictures: Its figures, in order.
        csv: Paths of its CSV files.
        tex: Paths of its LaTeX files.
    """

    section: Section
    name: str
    pictures: tuple[Picture, ...]
    csv: tuple[str, ...]
    tex: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Everything on a page.

    Attributes:
        kind: What it is the page of, in a word or two.
        title: Heading.
        summary: Three to six sentences that come before any table.
        sections: In order.
        name: Of the run or search; empty for a study.
        command: That makes the page again; empty if there is none.
        text: Markdown of the author.
        warnings: What a reader must know before the numbers.
        headline: The one finding, shown large.
        facts: Numbers at the top, as (name, value).
        beside: Where files of the page are, as a sentence.
    """

    kind: str
    title: str
    summary: tuple[str, ...]
    sections: tuple[RenderedSection, ...]
    name: str = ""
    command: str = ""
    text: str = ""
    warnings: tuple[str, ...] = ()
    headline: Headline | None = None
    facts: tuple[tuple[str, str], ...] = ()
    beside: str = ""


def render_sections(
    sections: Iterable[Section], files: dict[str, bytes], *, latex: bool
) -> tuple[RenderedSection, ...]:
    """Renders figures and tables into files.

    Args:
        sections: Drawn and rendered under the same settings, see :func:`metaopt.report.figures.style.drawing`.
        files: Takes the content of each file by its path beside the page.
        latex: Whether tables become LaTeX files, too.
    """
    places, paths = Names(), Names()
    return tuple(_rendered(section, files, places, paths, latex=latex) for section in sections)


def _rendered(
    section: Section, files: dict[str, bytes], places: Names, paths: Names, *, latex: bool
) -> RenderedSection:
    name = places.take(section.name or slug(section.title.lower()))
    rows = {f"{paths.take(table.file)}.csv": to_csv(table) for table in (*section.tables, *section.data) if table.file}
    tex = {
        f"{paths.take(f'tables/{table.name or slug(table.title.lower())}')}.tex": latex_table(table)
        for table in section.tables
        if latex
    }
    pictures = []
    for plot in section.plots:
        path = paths.take(f"figures/{plot.name}")
        # Its name is also its place on the page; two hyphens or a prefix keep it from being that of a section.
        picture = render(replace(plot, name=places.take(path.removeprefix("figures/"))))
        files |= {f"{path}.svg": picture.svg, f"{path}.png": picture.png}
        pictures.append(replace(picture, path=f"{path}.svg"))
    files |= {**rows, **tex}
    return RenderedSection(section, name, tuple(pictures), tuple(rows), tuple(tex))


def to_csv(table: PageTable) -> bytes:
    """Returns a table as CSV in UTF-8: numbers with six significant digits, nothing for none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.key for column in table.columns if column.key)
    writer.writerows(map(written, record.values()) for record in table.records)
    return text.getvalue().encode("utf-8")
