from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from metaopt.report.document.latex import escaped, latex_table
from metaopt.report.document.section import cells_table

TABLE = cells_table(
    "A & B",
    ("", "n", "p", "test_regret", "finding"),
    (
        ("darts_1", "3", "< .0001", "0.0200 ± 0.01", "a is better"),
        ("50 % #2 {x} ~ ^ $ \\", "–", "0.5", "–", ""),
    ),
)


def test_every_character_of_latex_is_escaped() -> None:
    assert escaped("a_b & 50 % $ # {x}") == r"a\_b \& 50 \% \$ \# \{x\}"
    assert escaped("\\ ~ ^") == r"\textbackslash{} \textasciitilde{} \textasciicircum{}"
    assert escaped("1 ± 2 × ≤ – R²") == r"1 $\pm$ 2 $\times$ $\leq$ -- R$^2$"


def test_a_table_has_the_rules_of_booktabs_and_numbers_to_the_right() -> None:
    lines = latex_table(TABLE).decode().splitlines()
    assert lines[0].startswith("% ")
    assert lines[1] == r"\begin{tabular}{lrrrl}"
    assert [lines[place] for place in (2, 4, -2, -1)] == [r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}"]
    assert {line.replace(r"\&", "").count("&") for line in lines[3:4] + lines[5:7]} == {4}


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_takes_it(tmp_path: Path) -> None:
    (tmp_path / "table.tex").write_bytes(latex_table(TABLE))
    page = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{table.tex}\end{document}"
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
