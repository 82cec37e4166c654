from __future__ import annotations

import matplotlib as mpl
from markupsafe import Markup

from metaopt.report.document.files import Names
from metaopt.report.document.html import PageView, Part, render_page, render_part
from metaopt.report.document.section import PageTable, Section
from metaopt.report.figures.style import RC, Plot, canvas
from metaopt.report.sections.headline import Headline

EVIL = "<script>alert(1)</script>"


def section() -> Section:
    figure, axes = canvas()
    axes.plot([0, 1], [0, 1])
    return Section("mine", "Mine", ("A note.",), (Plot("line", "A line", "It rises.", figure),))


def test_figures_of_a_part_are_files_beside_the_page() -> None:
    files: dict[str, bytes] = {}
    with mpl.rc_context(RC):
        part = render_part(section(), "run-", files, Names())
    assert part.name == "run-mine"
    assert set(files) == {"figures/run-line.svg", "figures/run-line.png"}
    assert files["figures/run-line.png"].startswith(b"\x89PNG")
    assert part.pictures[0].inline.startswith("<svg")


def page(**headline: str) -> str:
    table = PageTable("Numbers", ("name", EVIL), ((EVIL, "2"),))
    first = Headline(**{"tone": "open", "number": "0.1", "label": EVIL, "sentence": "S.", **headline})
    view = PageView(EVIL, EVIL, first, [("fact", EVIL)], [EVIL], [Part("p", EVIL, (EVIL,), (), (table,))])
    return render_page([view], (), Markup("See <code>figures/</code>.")).decode()


def test_text_is_text() -> None:
    assert EVIL not in page()
    assert page().count("&lt;script&gt;") >= 9
    assert "See <code>figures/</code>." in page()


def test_the_badge_is_the_tone_unless_there_is_a_word_of_its_own() -> None:
    assert '<span class="badge">open</span>' in page()
    assert '<span class="badge">finished</span>' in page(badge="finished")
