r"""Tables as LaTeX: a ``tabular`` in the rules of the booktabs package, every character escaped.

A paper includes one with ``\input{tables/NAME.tex}``; it adds its own caption and float.
"""

from __future__ import annotations

from collections.abc import Sequence

from metaopt.report.document.section import PageTable

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


def escaped(text: str) -> str:
    """Returns text that LaTeX prints as it stands."""
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


def latex_table(table: PageTable) -> bytes:
    """Returns a table as LaTeX: columns of numbers to the right, the others to the left."""
    lines = (
        f"% {table.title}; needs \\usepackage{{booktabs}}",
        f"\\begin{{tabular}}{{{''.join('r' if numeric else 'l' for numeric in table.numeric)}}}",
        "\\toprule",
        _row(table.head),
        "\\midrule",
        *map(_row, table.cells),
        "\\bottomrule",
        "\\end{tabular}",
    )
    return ("\n".join(lines) + "\n").encode("utf-8")


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(escaped, cells))} \\\\"
