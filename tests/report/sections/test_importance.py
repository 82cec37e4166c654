from __future__ import annotations

import math

from metaopt.report.sections.importance import (
    GroupImportance,
    importance_data,
    importance_notes,
    importance_table,
    untold_note,
)
from metaopt.report.stats.importance import Importance

NAMES = ("rate", "size", "epochs")
PAIRS = {("rate", "size"): 0.2, ("rate", "epochs"): 0.01, ("size", "epochs"): 0.0}
STRONG = GroupImportance("darts", Importance(NAMES, (0.5, 0.1, 0.05), (0.02, 0.01, 0.0), 0.7, 150, 12, PAIRS))
WEAK = GroupImportance("gdas", Importance(NAMES, (0.5, 0.1, 0.05), (0.02, 0.01, 0.0), 0.1, 150, 12, PAIRS))
FEW = GroupImportance("enas", Importance((), (), (), math.nan, 9, 12))


def test_only_trusted_shares_are_shown() -> None:
    rows = importance_table([STRONG, WEAK, FEW]).cells
    assert rows == (
        ("darts", "150", "0.70", "rate 50 ± 2 %, size 10 ± 1 %, epochs 5 ± 0 %", "rate with size 20 %"),
        ("gdas", "150", "0.10", "–", "–"),
        ("enas", "9", "–", "–", "–"),
    )
    assert importance_notes([STRONG, WEAK, FEW])[1].endswith("too few trials differ: gdas, enas.")
    assert len(importance_notes([STRONG])) == 1
    records = importance_data([STRONG, WEAK, FEW]).records
    assert {row["group"] for row in records} == {"darts"}
    assert [(row["input"], row["with"], row["share"]) for row in records[2:4]] == [
        ("epochs", "", 0.05),
        ("rate", "size", 0.2),
    ]


def test_where_nothing_can_be_told() -> None:
    assert "cannot be told from these trials" in untold_note([WEAK, FEW])
    assert "(R² 0.10 to 0.10)" in untold_note([WEAK, FEW])
    assert "R² of 0.2 on" in untold_note([FEW])
