"""The page of a ranking study: tables and figures from its record alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metaopt.report.data.measures import Measures
from metaopt.report.document.files import write_files
from metaopt.report.document.html import PAGE, render_html
from metaopt.report.document.markdown import README, render_markdown
from metaopt.report.document.page import Page, render_sections
from metaopt.report.figures.style import drawing
from metaopt.report.sections.ranking import ranking_sections, ranking_summary


def write_ranking(record: Mapping[str, Any], folder: Path) -> Path:
    """Writes the page as HTML and Markdown, its figures and a table of all measures; returns the HTML page.

    Raises:
        RunError: if the folder cannot be written to.
    """
    write_files(folder, render_ranking(record))
    return folder / PAGE


def render_ranking(record: Mapping[str, Any]) -> dict[str, bytes]:
    """Returns every file of the page by name; the same bytes for the same record."""
    study, measures, files = record["study"], Measures(record), dict[str, bytes]()
    with drawing():
        sections = render_sections(ranking_sections(record, measures), files, latex=False)
    page = Page(
        kind="ranking study",
        title=(
            f"How well {study['optimizer']} supernets rank the cells of {study['benchmark']}, cell space "
            f"{study['cell_space']}"
        ),
        summary=tuple(ranking_summary(record, measures)),
        sections=sections,
        command=str(record["command"]),
        beside="The whole record is in `correlation.json`.",
    )
    return {README: render_markdown(page), PAGE: render_html(page), **files}
