from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.cli import main
from metaopt.recorded.searches import RecordedSearches

RUN = str(Path(__file__).parents[3] / "results/reference/darts-digits1-bohb")
GATHER = ["benchmark", "gather-searches"]


def test_searches_are_put_into_one_file_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*GATHER, RUN, RUN, "--out", "s.parquet"]) == 0
    said = capsys.readouterr().out
    read = RecordedSearches(Path("s.parquet"))
    assert said.startswith(f"darts      {len(read)} searches of ")
    assert f"left out, searches that are there already: {len(read)}\n" in said
    assert "searches: s.parquet (" in said
    assert read.provenance["benchmark"] == "digits"
    assert read.provenance["cell_space"] == 1
    assert list(read.provenance["spaces"]) == ["darts"]
    assert read.provenance["left_out"] == {"searches that are there already": len(read)}
    assert {search.source for search in read} == {"darts-digits1-bohb", "darts-digits1-bohb/confirm"}


def test_without_a_search_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*GATHER, RUN, "--cell-space", "2", "--out", "s.parquet"]) == 2
    assert "there is no finished search of 'digits', cell space 2" in capsys.readouterr().err
    assert not Path("s.parquet").exists()
