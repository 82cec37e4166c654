"""A page as Markdown, for repositories: text and tables in it, figures and files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metaopt.report.document.page import Page, RenderedSection
from metaopt.report.document.section import PageTable

#: File name of a page in a repository, which shows it with the folder.
README = "README.md"


def render_markdown(page: Page) -> bytes:
    """Returns the page."""
    lines = [line for part in _lines(page) for line in (part, "")]
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8")


def _lines(page: Page) -> Iterator[str]:
    """Yields paragraphs."""
    if page.command:
        yield f"`{page.command}`"
    yield f"# {page.title}"
    if page.text:
        yield page.text.strip()
    yield from page.warnings
    if page.summary:
        yield "\n".join(f"- {sentence}" for sentence in page.summary)
    for section in page.sections:
        yield from _section(section)
    if page.beside:
        yield page.beside


def _section(rendered: RenderedSection) -> Iterator[str]:
    section = rendered.section
    yield f"{'#' * section.level} {section.title}"
    for table in section.tables:
        if len(section.tables) > 1:
            yield f"**{table.title}**"
        yield f"{table.title}: {len(table.rows)} rows, see the files below." if table.folded else markdown_table(table)
    yield from section.notes
    links = [
        f"{kind}: {', '.join(f'[{name}]({name})' for name in some)}."
        for kind, some in (("As CSV", rendered.csv), ("As LaTeX", rendered.tex))
        if some
    ]
    if links:
        yield " ".join(links)
    for picture in rendered.pictures:
        yield f"![{picture.title}]({picture.path})"
        yield picture.caption


def markdown_table(table: PageTable) -> str:
    """Returns a table: columns of numbers to the right."""
    rule = [("---:" if numeric else "---") for numeric in table.numeric]
    return "\n".join(map(_row, (table.head, rule, *table.cells)))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
