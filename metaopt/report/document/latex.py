r"""Tables as LaTeX: a ``tabular`` in the rules of the booktabs package, every character escaped.

A paper takes one in with ``\input{tables/NAME.tex}``; caption and float are the paper's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from metaopt.report.document.section import NONE, PageTable

_ESCAPED = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "²": r"$^2$",
    "ρ": r"$\rho$",
    "τ": r"$\tau$",
    "∞": r"$\infty$",
    "…": r"\dots{}",
}
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NUMBER = re.compile(r"[+-]?[.\d]")


def escaped(text: str) -> str:
    """Returns text that LaTeX prints as it stands; of a Markdown link its words."""
    return "".join(_ESCAPED.get(letter, letter) for letter in _LINK.sub(r"\1", text))


def latex_table(table: PageTable) -> bytes:
    """Returns a table as LaTeX: columns of numbers to the right, the first and those of words to the left."""
    columns = "".join("l" if place == 0 else _side(column) for place, column in enumerate(_columns(table)))
    lines = (
        f"% {table.title}; needs \\usepackage{{booktabs}}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        _row(table.head),
        "\\midrule",
        *map(_row, table.rows),
        "\\bottomrule",
        "\\end{tabular}",
    )
    return ("\n".join(lines) + "\n").encode("utf-8")


def _columns(table: PageTable) -> list[list[str]]:
    return [[row[place] for row in table.rows] for place in range(len(table.head))]


def _side(cells: Sequence[str]) -> str:
    return "r" if all(cell in ("", NONE) or _NUMBER.match(cell) for cell in cells) else "l"


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(escaped, cells))} \\\\"
