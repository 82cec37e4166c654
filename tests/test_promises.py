"""docs/promises.md names tests; this holds it to them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = sorted(set(re.findall(r"`((?:tests|metaopt/testing)/[\w/.:]+)`", (ROOT / "docs/promises.md").read_text())))


@pytest.mark.parametrize("named", NAMED)
def test_there_is_such_a_test(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).exists(), path
    if test:
        functions = [
            node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)
        ]
        assert test in {function.name for function in functions}


def test_every_row_names_one() -> None:
    rows = [line for line in (ROOT / "docs/promises.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    assert all(any(named in row for named in NAMED) for row in rows)
