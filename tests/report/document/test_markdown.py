from __future__ import annotations

from metaopt.report.document.markdown import render_markdown
from metaopt.report.document.page import Page, RenderedSection
from metaopt.report.document.section import Column, PageTable, Section, cells_table
from metaopt.report.figures.style import Picture

ONE = cells_table("One", ("a", "b"), [("x|y", "1")])
PICTURE = Picture("dots", "Dots", "How to read it.", "", b"", b"", "figures/dots.svg")


def text(*sections: RenderedSection, **more: str) -> str:
    return render_markdown(Page("study", "Title", ("First.", "Second."), sections, **more)).decode()


def test_a_page_begins_with_its_command_and_its_summary() -> None:
    page = text(command="metaopt compare x", text="Some *words*.\n", beside="More in `x`.")
    assert page == "`metaopt compare x`\n\n# Title\n\nSome *words*.\n\n- First.\n- Second.\n\nMore in `x`.\n"


def test_a_section_has_tables_then_notes_then_files_then_figures() -> None:
    section = Section("Numbers", ("A note.",), (ONE,), level=3)
    page = text(RenderedSection(section, "numbers", (PICTURE,), ("one.csv",), ("tables/one.tex",)))
    assert page.endswith(
        "### Numbers\n\n| a | b |\n| --- | ---: |\n| x&#124;y | 1 |\n\nA note.\n\n"
        "As CSV: [one.csv](one.csv). As LaTeX: [tables/one.tex](tables/one.tex).\n\n"
        "![Dots](figures/dots.svg)\n\nHow to read it.\n"
    )
    assert "**One**" not in page, "a single table needs no title"


def test_several_tables_have_titles_and_a_folded_one_is_in_its_files_only() -> None:
    folded = PageTable("Many", (Column("a", value=str),), tuple(range(7)), folded=True)
    page = text(RenderedSection(Section("Numbers", (), (ONE, folded)), "numbers", (), (), ("tables/all.tex",)))
    assert "**One**" in page
    assert "Many: 7 rows, see the files below." in page
    assert "As LaTeX: [tables/all.tex](tables/all.tex)." in page
