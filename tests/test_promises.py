"""docs/promises.md and docs/threats.md name tests; this holds them to it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {page: (ROOT / "docs" / page).read_text() for page in ("promises.md", "threats.md")}
_TEST = re.compile(r"`((?:tests|metaopt/testing)/[\w/.:]+)`")
NAMED = sorted({named for text in PAGES.values() for named in _TEST.findall(text)})


@pytest.mark.parametrize("named", NAMED)
def test_there_is_such_a_test(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).exists(), path
    if test:
        functions = [
            node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)
        ]
        assert test in {function.name for function in functions}


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_one(page: str) -> None:
    rows = [line for line in PAGES[page].splitlines() if line.startswith("| ")]
    rows = [line for line in rows if not line.startswith(("| promise |", "| what is tried |"))]
    assert len(rows) > 10
    assert all(_TEST.search(row) for row in rows)


def test_every_kind_of_stranger_has_its_table_and_its_limits() -> None:
    sections = PAGES["threats.md"].split("\n## ")[1:6]
    names = ("A file", "A trial", "A worker", "A neighbor", "A scheduler")
    for section, name in zip(sections, names, strict=True):
        assert section.startswith(name)
        assert "| what is tried | what holds | shown by |" in section
        assert "\nNot held: " in section
