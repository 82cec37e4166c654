from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES, CellSpace
from metaopt.core.errors import ConfigError, TableError
from metaopt.tables.answers import Answers
from metaopt.tables.card import Card, load_card
from metaopt.tables.predictions import write_predictions
from metaopt.tables.schema import write_table


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[CellGraph]:
    """The cells of a small space; a table holds all but the last two, with errors .5, .4, .3 ..."""
    monkeypatch.setitem(CELL_SPACES, 9, CellSpace("tiny", (1, 2)))
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    (tmp_path / "tables").mkdir()
    found = list(CELL_SPACES[9].distinct_graphs().values())
    rows = [
        {"cell": g.key, "cell_hash": g.hash, "seed": 0, "epochs": 8, "valid_error": 0.5 + n / 10, "test_error": 0.5}
        for n, g in enumerate(found[:-2])
    ]
    write_table(tmp_path / "tables" / "digits-9.parquet", pa.Table.from_pylist(rows), {})
    return found


@pytest.fixture
def card(graphs: list[CellGraph]) -> Card:
    return load_card("digits")


def predict(folder: Path, graphs: list[CellGraph], error: float) -> None:
    values = dict.fromkeys(("valid_error", "valid_error_std", "test_error", "test_error_std"), error)
    rows = [{"cell": graph.key, "cell_hash": graph.hash, **values} for graph in graphs]
    write_predictions(folder / "tables" / "digits-9.surrogate.parquet", pa.Table.from_pylist(rows), {})


def test_what_was_measured_is_not_predicted(card: Card, graphs: list[CellGraph], tmp_path: Path) -> None:
    predict(tmp_path, graphs, 0.25)
    answers = Answers(card, 9)
    measured, predicted = answers.query(graphs[0]), answers.query(graphs[-1])
    assert (measured.valid_error, measured.predicted) == (0.5, False)
    assert (predicted.valid_error, predicted.predicted, predicted.cost_s) == (0.25, True, None)
    assert answers.optimum() == (0.25, 0.25)
    assert graphs[-1] in answers
    assert answers.describe() == {
        "cells": len(graphs) - 2,
        "seeds": 1,
        "epochs": [8],
        "of_cells": len(graphs),
        "unknown": "surrogate",
    }


def test_a_prediction_of_a_measured_cell_is_no_optimum(card: Card, graphs: list[CellGraph], tmp_path: Path) -> None:
    values = dict.fromkeys(("valid_error", "valid_error_std", "test_error", "test_error_std"), 0.0)
    rows = [
        {"cell": g.key, "cell_hash": g.hash, **values, "valid_error": 0.1 if n == 0 else 0.9, "test_error": 0.9}
        for n, g in enumerate(graphs)
    ]
    write_predictions(tmp_path / "tables" / "digits-9.surrogate.parquet", pa.Table.from_pylist(rows), {})
    assert Answers(card, 9).optimum() == (0.5, 0.5)


def test_without_a_surrogate_one_is_asked_for(card: Card) -> None:
    with pytest.raises(
        ConfigError, match=r"holds \d+ of \d+ cells of cell space 9, and there is no surrogate"
    ) as caught:
        Answers(card, 9)
    assert "metaopt benchmark fit-surrogate digits --cell-space 9" in str(caught.value)


@pytest.mark.parametrize("unknown", ["refuse", "restrict"])
def test_unknown_cells_are_refused(card: Card, graphs: list[CellGraph], unknown: str) -> None:
    answers = Answers(card, 9, unknown)
    assert answers.restricted == (unknown == "restrict")
    assert answers.optimum() == (0.5, 0.5)
    assert graphs[0] in answers
    assert graphs[-1] not in answers
    with pytest.raises(TableError, match="is not in the table"):
        answers.query(graphs[-1])


def test_a_complete_table_needs_nothing_else() -> None:
    for unknown in ("surrogate", "restrict", "refuse"):
        answers = Answers(load_card("digits"), 1, unknown)
        assert (answers.complete, answers.restricted) == (True, False)
        assert "unknown" not in answers.describe()


def test_the_card_says_what_is_usual(card: Card) -> None:
    usual = Answers(replace(card, text={**card.text, "unknown": "refuse"}), 9)
    assert usual.unknown == "refuse"
