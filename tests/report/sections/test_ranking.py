from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from metaopt.report.data.measures import Measures, Way
from metaopt.report.document.page import to_csv
from metaopt.report.sections.ranking import defect_table, full_table, measures_data, ranking_summary
from rankings import made_up_record

RIGHT = Way("recalibrated", False, False, "all")


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return made_up_record(at=(2, 5), seeds=3)


def test_each_defect_is_mended_alone_and_made_alone(record: dict[str, Any]) -> None:
    table = defect_table(Measures(record))
    assert table is not None
    names = [row[0] for row in table.cells]
    assert names[0] == "as published"
    assert names[5] == "done right"
    assert [name.removeprefix("… but ") for name in names[2:5]] == ["no edge lost", "operations not mixed", "all cells"]
    assert names[-1] == "… but only the enumerated cells"
    measures = Measures(record)
    assert table.cells[0][1] == measures.text(Way("published", True, True, "enumerated"), "spearman")
    assert table.cells[2][1] == measures.text(Way("published", False, True, "enumerated"), "spearman")
    assert table.cells[5][4] == measures.text(RIGHT, "kendall_a")


def test_a_defect_that_cannot_be_is_not_in_the_table() -> None:
    table = defect_table(Measures(made_up_record(soft=False)))
    assert table is not None
    assert len(table.cells) == 8
    assert not any("mixed" in row[0] for row in table.cells)


def test_a_record_without_enumerated_cells_has_no_such_table() -> None:
    record = made_up_record()
    record["measures"] = [entry for entry in record["measures"] if entry["among"] == "all"]
    assert defect_table(Measures(record)) is None


def test_every_way_has_a_row(record: dict[str, Any]) -> None:
    table = full_table(Measures(record))
    assert len(table.cells) == 5 * 4 * 2
    assert all(len(row) == len(table.head) for row in table.cells)


def test_csv_has_every_measure(record: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(measures_data(record["measures"])).decode())))
    assert len(rows) == len(record["measures"])
    for row, entry in zip(rows, record["measures"], strict=True):
        assert float(row["spearman"]) == pytest.approx(entry["spearman"], abs=1e-5)
        assert float(row["kendall_a_top_10"]) == pytest.approx(entry["top"][0]["kendall_a"], abs=1e-5)
        assert float(row["precision_5_percent"]) == pytest.approx(entry["precision"]["5"], abs=1e-5)
        assert row["among"] == entry["among"]
    without = [{**record["measures"][0], "spearman": None}]
    assert next(csv.DictReader(io.StringIO(to_csv(measures_data(without)).decode())))["spearman"] == ""


def test_the_summary_says_how_well_the_cells_are_ranked(record: dict[str, Any]) -> None:
    said = list(ranking_summary(record, Measures(record)))
    assert 3 <= len(said) <= 6
    assert said[0].startswith("3 supernets, seeds from 0, searched for 5 epochs and scored after 2 and 5")
    assert "mean Spearman correlation of" in said[1]
    assert said[2].startswith("Evaluated as published it is")
