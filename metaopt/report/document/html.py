"""A page that needs nothing but itself: sections with rendered figures, one view per run or search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metaopt.report.document.files import Names
from metaopt.report.document.section import PageTable, Section
from metaopt.report.figures.style import PALETTE, Picture, render
from metaopt.report.sections.headline import Headline

PAGE = "report.html"

# Marks that turn the direction of the text after them, by which a name could pass for another, and control characters.
_UNSEEN = {n: f"\\u{n:04x}" for n in (*range(9), 11, 12, *range(14, 32), 127, 0x061C, 0x200E, 0x200F,
                                       *range(0x202A, 0x202F), *range(0x2066, 0x206A))}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A section whose figures are rendered.

    Attributes:
        name: Anchor, unique on the page.
        title: Heading.
        notes: Sentences before everything else.
        pictures: Figures in their order.
        tables: Tables after the figures.
    """

    name: str
    title: str
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[PageTable, ...]


@dataclass(frozen=True)
class PageView:
    """What the page shows of a run or a search.

    Attributes:
        name: Of its folder.
        title: What it is.
        headline: The first thing to read.
        facts: Numbers at the top, as (name, value).
        notes: What a reader must know of its state.
        parts: Everything else.
    """

    name: str
    title: str
    headline: Headline
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    parts: Sequence[Part]


def render_part(section: Section, prefix: str, files: dict[str, bytes], names: Names) -> Part:
    """Renders the figures of a section, which must be drawn under the report's settings of matplotlib.

    Args:
        section: What to render.
        prefix: Goes before the names of section and figures.
        files: Takes the figures' files by their path beside the page.
        names: Of the sections and figures that the page has already; takes those of this one.
    """
    name = names.take(f"{prefix}{section.name}")
    pictures = []
    for plot in section.plots:
        picture = render(replace(plot, name=names.take(f"{prefix}{plot.name}")))
        files[f"figures/{picture.name}.svg"] = picture.svg
        files[f"figures/{picture.name}.png"] = picture.png
        pictures.append(picture)
    return Part(name, section.title, section.notes, tuple(pictures), section.tables)


def _visible(value: Any) -> Any:
    """Returns what the page shows, with marks that cannot be seen written out; markup stays markup."""
    return value.translate(_UNSEEN) if isinstance(value, str) else value


def render_page(views: Sequence[PageView], compared: Sequence[Part], beside: Markup) -> bytes:
    """Returns the page.

    Args:
        views: At least one.
        compared: Sections before those of the views.
        beside: Sentence on the files that lie beside the page.
    """
    environment = Environment(
        loader=PackageLoader("metaopt.report.document", ""),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["drawing"] = Markup
    colours = {
        scheme: "; ".join(f"--{name}: {pair[index]}" for name, pair in PALETTE.items())
        for index, scheme in enumerate(("light", "dark"))
    }
    template = environment.get_template("report.html.j2")
    return template.render(runs=views, compared=compared, colours=colours, beside=beside).encode("utf-8")
