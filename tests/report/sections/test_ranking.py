from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from metaopt.oneshot.supernet import scoring
from metaopt.report.sections.ranking import (
    STATISTICS,
    Measures,
    Way,
    defect_table,
    full_table,
    markdown,
    measures_csv,
)
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


def test_each_defect_is_mended_alone_and_made_alone(record: dict[str, Any]) -> None:
    table = defect_table(Measures(record))
    assert table is not None
    names = [row[0] for row in table.rows]
    assert names[0] == "as published"
    assert names[5] == "done right"
    assert [name.removeprefix("… but ") for name in names[2:5]] == ["no edge lost", "operations not mixed", "all cells"]
    assert names[-1] == "… but only the enumerated cells"
    measures = Measures(record)
    assert table.rows[0][1] == measures.text(Way("published", True, True, "enumerated"), "spearman")
    assert table.rows[2][1] == measures.text(Way("published", False, True, "enumerated"), "spearman")
    assert table.rows[5][4] == measures.text(RIGHT, "kendall_a")


def test_a_defect_that_cannot_be_is_not_in_the_table() -> None:
    table = defect_table(Measures(made_up_record(soft=False)))
    assert table is not None
    assert len(table.rows) == 8
    assert not any("mixed" in row[0] for row in table.rows)


def test_a_record_without_enumerated_cells_has_no_such_table() -> None:
    record = made_up_record()
    record["measures"] = [entry for entry in record["measures"] if entry["among"] == "all"]
    assert defect_table(Measures(record)) is None


def test_every_way_has_a_row(record: dict[str, Any]) -> None:
    table = full_table(Measures(record))
    assert len(table.rows) == 5 * 4 * 2
    assert all(len(row) == len(table.head) for row in table.rows)


def test_markdown(record: dict[str, Any]) -> None:
    table = full_table(Measures(record))
    lines = markdown(table).splitlines()
    assert lines[0] == f"### {table.title}"
    assert {line.count("|") for line in lines[2:]} == {len(table.head) + 1}


def test_csv_has_every_measure(record: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(measures_csv(record["measures"]).decode())))
    assert len(rows) == len(record["measures"])
    for row, entry in zip(rows, record["measures"], strict=True):
        assert float(row["spearman"]) == entry["spearman"]
        assert float(row["kendall_a_top_10"]) == entry["top"][0]["kendall_a"]
        assert float(row["precision_5_percent"]) == entry["precision"]["5"]
        assert row["among"] == entry["among"]
    without = [{**record["measures"][0], "spearman": None}]
    assert next(csv.DictReader(io.StringIO(measures_csv(without).decode())))["spearman"] == ""
