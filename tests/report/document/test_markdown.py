from __future__ import annotations

import csv
import io
import math

from metaopt.report.document.files import Names
from metaopt.report.document.markdown import Part, section
from metaopt.report.document.section import PageTable
from metaopt.report.figures.style import Plot, canvas

ONE = PageTable("One", ("a", "b"), (("x|y", "1"),))


def test_a_part_becomes_markdown_and_files() -> None:
    files: dict[str, bytes] = {}
    figure, _ = canvas()
    plot = Plot("dots", "Dots", "How to read it.", figure)
    part = Part("Title", ("A note.",), (ONE,), {"one.csv": [{"x": 1 / 3, "y": math.nan, "z": None}]}, (plot,))
    text = "\n".join(section(part, files, Names()))
    assert text.startswith("## Title\n\n| a | b |\n| --- | --- |\n| x&#124;y | 1 |\n\nA note.\n\n")
    assert "In full: [one.csv](one.csv); as LaTeX: [tables/one.tex](tables/one.tex)." in text
    assert "**One**" not in text, "a single table needs no title"
    assert text.endswith("![Dots](figures/dots.svg)\n\nHow to read it.\n")
    assert set(files) == {"one.csv", "tables/one.tex", "figures/dots.svg", "figures/dots.png"}
    (row,) = csv.DictReader(io.StringIO(files["one.csv"].decode()))
    assert (float(row["x"]), row["y"], row["z"]) == (0.333333, "", "")


def test_several_tables_have_titles_and_a_folded_one_stands_in_its_files_only() -> None:
    files: dict[str, bytes] = {}
    folded = PageTable("Many", ("a",), (("1",),) * 7, folded=True, name="all")
    text = "\n".join(section(Part("Title", tables=(ONE, folded)), files, Names()))
    assert "**One**" in text
    assert "Many: 7 rows, which stand in the files below." in text
    assert "As LaTeX: [tables/one.tex](tables/one.tex), [tables/all.tex](tables/all.tex)." in text


def test_two_sections_never_write_one_file() -> None:
    files, names = dict[str, bytes](), Names()
    for _ in range(2):
        part = Part("Title", (), (ONE,), {"one.csv": [{"x": 1}]}, (Plot("dots", "Dots", "", canvas()[0]),))
        text = "\n".join(section(part, files, names))
    assert "In full: [one-2.csv](one-2.csv); as LaTeX: [tables/one-2.tex](tables/one-2.tex)." in text
    assert "![Dots](figures/dots-2.svg)" in text
    assert len(files) == 2 * 4
