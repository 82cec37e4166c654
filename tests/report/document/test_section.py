from __future__ import annotations

import math
from dataclasses import dataclass
from operator import attrgetter

import pytest

from metaopt.report.document.section import (
    NONE,
    Column,
    PageTable,
    cells_table,
    number,
    records_table,
    span,
    times,
    value_text,
)


@pytest.mark.parametrize(("value", "text"), [(0.05, "0.0500"), (None, NONE), (math.nan, NONE)])
def test_errors_have_four_decimals(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(2.345, "2.35×"), (None, NONE)])
def test_ratios_have_a_times_sign(value: float | None, text: str) -> None:
    assert times(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123456, "0.01235"), (True, "True"), (7, "7"), ("a", "a"), (None, NONE)]
)
def test_values_of_any_type_are_text(value: object, text: str) -> None:
    assert value_text(value) == text


@dataclass(frozen=True)
class Row:
    name: str
    ratio: float | None
    bounds: tuple[float, float] | None


TABLE = PageTable(
    "T",
    (
        Column("", "group", attrgetter("name")),
        Column("ratio", "ratio", show=times),
        Column("interval", value=attrgetter("bounds"), show=span),
        Column(None, "low", lambda row: row.bounds and row.bounds[0]),
    ),
    (Row("a", 2.0, (1.5, 2.5)), Row("b", None, None)),
)


def test_columns_are_declared_once_for_readers_and_programs() -> None:
    assert TABLE.head == ("", "ratio", "interval")
    assert TABLE.cells == (("a", "2.00×", "1.5000 to 2.5000"), ("b", NONE, NONE))
    assert TABLE.records == [{"group": "a", "ratio": 2.0, "low": 1.5}, {"group": "b", "ratio": None, "low": None}]


def test_columns_of_numbers_are_known_and_the_first_column_is_no_such() -> None:
    assert TABLE.numeric == (False, True, True)
    mixed = cells_table("T", ("n", "p", "words", "none"), [("1", "< .01", "a", NONE), ("2", "0.5", "3", NONE)])
    assert mixed.numeric == (False, True, False, False)
    assert cells_table("T", ("a", "b"), ()).numeric == (False, False)


def test_records_are_a_table_that_no_reader_sees() -> None:
    table = records_table("curves", [{"at": 1, "mean": 0.5}])
    assert (table.head, table.file, table.records) == ((), "curves", [{"at": 1, "mean": 0.5}])
