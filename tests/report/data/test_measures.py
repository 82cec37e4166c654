from __future__ import annotations

from typing import Any

import pytest

from metaopt.oneshot.supernet import scoring
from metaopt.report.data.measures import STATISTICS, Measures, Way
from rankings import made_up_record

RIGHT = Way("recalibrated", False, False, "all")


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return made_up_record(at=(2, 5), seeds=3)


def entries(record: dict[str, Any], **wanted: object) -> list[dict[str, Any]]:
    return [e for e in record["measures"] if all(e[name] == value for name, value in wanted.items())]


def test_all_kinds_of_statistics_have_a_text() -> None:
    assert tuple(STATISTICS) == scoring.STATISTICS


def test_values_are_those_of_the_way_the_score_and_the_epochs(record: dict[str, Any]) -> None:
    measures = Measures(record)
    same = {"batch_norm": "recalibrated", "lost_edge": False, "soft_ops": False, "among": "all"}
    last = entries(record, **same, score="error", epochs=5)
    assert measures.values(RIGHT, "spearman") == [e["spearman"] for e in last]
    assert len(last) == 3
    first = entries(record, **same, score="loss", epochs=2)
    assert measures.values(RIGHT, "precision", 10, score="loss", epochs=2) == [e["precision"]["10"] for e in first]
    assert measures.values(RIGHT, "top", 50) == [e["top"][2]["kendall_a"] for e in last]
    assert measures.values(RIGHT, "top", 500) == []
    assert measures.epochs == [2, 5]


def test_a_text_has_mean_and_deviation() -> None:
    record = made_up_record(seeds=3)
    for entry, value in zip(entries(record, batch_norm="batch", score="error"), [0.1, 0.2, 0.3], strict=False):
        entry["spearman"] = value
    way = Way("batch", False, False, "all")
    for entry, value in zip(
        entries(record, batch_norm="batch", score="error", lost_edge=False, soft_ops=False, among="all"),
        [0.1, 0.2, 0.6],
        strict=True,
    ):
        entry["spearman"], entry["kendall_b"] = value, None if value == 0.2 else value
    measures = Measures(record)
    assert measures.text(way, "spearman") == "0.300 ± 0.265"
    assert measures.text(way, "kendall_b", digits=1) == "0.3 ± 0.4 (2 of 3)"
    assert measures.text(way, "top", 500) == "–"
    assert Measures(made_up_record(seeds=1)).text(RIGHT, "spearman").count("±") == 0
