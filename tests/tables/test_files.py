from __future__ import annotations

import os
from pathlib import Path

import pytest

from metaopt.core.errors import TableError
from metaopt.tables.card import load_card
from metaopt.tables.files import find_predictions, find_table, making


def test_a_table_that_is_nowhere_says_how_to_build_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    with pytest.raises(TableError, match="metaopt benchmark build digits --cell-space 7"):
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


def test_a_name_is_made_by_one_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "mine.parquet"
    with making(out):
        with pytest.raises(TableError, match=rf"process {os.getpid()} on .* is making {out} right now"), making(out):
            pass
        with making(tmp_path / "other.parquet"):
            pass
    with making(out):
        pass
    assert list(tmp_path.iterdir()) == []
