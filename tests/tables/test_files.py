from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.errors import TableError
from metaopt.tables.card import load_card
from metaopt.tables.files import find_predictions, find_table


def test_a_table_that_is_nowhere_says_how_to_build_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    with pytest.raises(TableError, match="metaopt benchmark build digits --space 7"):
        find_table(load_card("digits"), 7)
    own = tmp_path / "tables" / "digits-7.parquet"
    own.parent.mkdir()
    own.touch()
    assert find_table(load_card("digits"), 7) == own


def test_predictions_are_found_where_tables_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    assert find_predictions(load_card("digits"), 7) is None
    own = tmp_path / "tables" / "digits-7.surrogate.parquet"
    own.parent.mkdir()
    own.touch()
    assert find_predictions(load_card("digits"), 7) == own
