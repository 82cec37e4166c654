from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

from metaopt.report.document.page import RenderedSection, render_sections, to_csv
from metaopt.report.document.section import Section, cells_table, records_table
from metaopt.report.figures.style import Plot, canvas, drawing

ONE = replace(cells_table("One", ("a", "b"), [("x", "1")]), file="one")


def rendered(*tables: str, latex: bool = True) -> tuple[tuple[RenderedSection, ...], dict[str, bytes]]:
    """Sections called alike, each with a table, a table for programs only and a figure."""
    files: dict[str, bytes] = {}
    with drawing():
        figure, axes = canvas()
        axes.plot([0, 1], [0, 1])
        data = (records_table("more", [{"x": 1 / 3}]),)
        sections = [Section("Mine", (), (ONE,), (Plot("line", "Line", "", figure),), data=data, name=n) for n in tables]
        return render_sections(sections, files, latex=latex), files


def test_figures_and_tables_are_files_beside_the_page() -> None:
    (section,), files = rendered("")
    assert (section.name, section.csv, section.tex) == ("mine", ("one.csv", "more.csv"), ("tables/one.tex",))
    assert set(files) == {"one.csv", "more.csv", "tables/one.tex", "figures/line.svg", "figures/line.png"}
    assert files["figures/line.png"].startswith(b"\x89PNG")
    assert section.pictures[0].inline.startswith("<svg")
    assert section.pictures[0].path == "figures/line.svg"


def test_two_sections_share_no_file_and_no_place() -> None:
    (_, second), files = rendered("a", "a", latex=False)
    assert (second.name, second.csv, second.tex) == ("a-2", ("one-2.csv", "more-2.csv"), ())
    assert second.pictures[0].path == "figures/line-2.svg"
    assert len(files) == 2 * 4


def test_a_section_may_be_called_as_a_figure_is() -> None:
    (first,), _ = rendered("line")
    assert (first.name, first.pictures[0].name, first.pictures[0].path) == ("line", "line-2", "figures/line.svg")


def test_csv_has_six_digits_and_nothing_for_none() -> None:
    table = records_table("one", [{"x": 1 / 3, "y": math.nan, "z": None}])
    (row,) = csv.DictReader(io.StringIO(to_csv(table).decode()))
    assert (float(row["x"]), row["y"], row["z"]) == (0.333333, "", "")


def test_csv_without_rows_has_its_columns() -> None:
    assert to_csv(replace(records_table("one", [{"x": 1, "y": 2}]), rows=())) == b"x,y\n"
