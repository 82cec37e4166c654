from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from metaopt.report.document.html import render_html, script
from metaopt.report.document.page import Page, RenderedSection
from metaopt.report.document.section import Headline, Section, cells_table

EVIL = "<script>alert(1)</script>"


def page(*rows: tuple[str, str], **more: Any) -> str:
    table = cells_table("Numbers", ("name", EVIL), rows or [(EVIL, "2")], anchor=lambda row: f"row-{row[0]}")
    sections = (RenderedSection(Section(EVIL, (EVIL,), (table,)), "p", (), ("a.csv",), ()),)
    head = Headline(**{"tone": "open", "number": "0.1", "label": EVIL, "sentence": "S.", **more.pop("head", {})})
    facts = (("fact", EVIL),)
    settings = {"name": EVIL, "warnings": (EVIL,), "headline": head, "facts": facts, "text": EVIL, **more}
    return render_html(Page("run", EVIL, (EVIL,), sections, **settings)).decode()


def test_text_is_text() -> None:
    assert EVIL not in page()
    assert page().count("&lt;script&gt;alert") >= 12


def test_sentences_may_stress_words_and_name_files() -> None:
    text = page(beside="**See** `figures/`, not <b>.")
    assert "<strong>See</strong> <code>figures/</code>, not &lt;b&gt;." in text


def test_the_author_s_markdown_is_shown_without_markup_and_pictures() -> None:
    text = page(text="Some *words* on [a page](https://example.org).\n\n- one\n\n![x](y.png) <img src=x>")
    assert '<em>words</em> on <a href="https://example.org">a page</a>' in text
    assert "<li>one</li>" in text
    assert "<img" not in text
    assert 'href="javascript' not in page(text="[x](javascript:alert(1))")


def test_the_badge_is_the_tone_unless_there_is_a_word_of_its_own() -> None:
    assert '<span class="badge">open</span>' in page()
    assert '<span class="badge">finished</span>' in page(head={"badge": "finished"})


def test_only_the_script_of_the_page_may_run() -> None:
    text, digest = script()
    (inside,) = re.findall(r"<script>(.*?)</script>", page(), re.DOTALL)
    assert inside == text
    assert base64.b64decode(digest) == hashlib.sha256(inside.encode()).digest()
    assert f"script-src 'sha256-{digest}'" in page()


def test_long_tables_can_be_sorted_numbers_are_to_the_right_and_rows_have_places() -> None:
    rows = [(str(n), f"0.{n}") for n in range(4)]
    assert '<table class="sortable">' in page(*rows)
    assert "sortable" not in re.sub("<script>.*?</script>", "", page(*rows[:3]), flags=re.DOTALL)
    assert '<tr id="row-2"><td>2</td><td class="num">0.2</td></tr>' in page(*rows)


def test_files_are_linked() -> None:
    assert 'As CSV: <a href="a.csv">a.csv</a>.' in page()
