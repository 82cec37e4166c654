from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from metaopt.core.errors import ConfigError, RunError
from metaopt.core.trial import Result, Trial
from metaopt.report.data.load import load_run, load_runs
from metaopt.report.export import files as interchange
from metaopt.report.export.files import export
from metaopt.report.export.table import trial_table


def test_a_table_of_several_runs(make_run: Callable[..., Path], tmp_path: Path) -> None:
    runs = [make_run("a", n=5), make_run("b", n=7)]
    file = export(runs, "parquet", tmp_path / "both.parquet")
    assert pq.read_table(file).equals(trial_table(load_runs(runs)))


def test_json_gives_the_journals_back(make_run: Callable[..., Path]) -> None:
    folder = make_run(n=15)
    file = export([folder], "json", None)
    assert file == folder / "trials.json"
    (run,) = json.loads(file.read_text())["runs"]
    read = load_run(folder)
    assert run["header"] == read.header
    for phase, evaluations in (("tune", read.evaluations), ("confirm", read.confirmed)):
        written = [one for one in run["trials"] if one["phase"] == phase]
        assert [Trial.from_json(one["trial"]) for one in written] == [e.trial for e in evaluations]
        assert [one["result"] and Result.from_json(one["result"]) for one in written] == [e.result for e in evaluations]


def test_several_runs_have_no_folder_of_their_own(make_run: Callable[..., Path]) -> None:
    runs = [make_run("a", n=2), make_run("b", n=2)]
    with pytest.raises(RunError, match="an export of 2 runs has no folder of its own") as error:
        export(runs, "optuna", None)
    assert error.value.hint == "name a file: --out trials.db"
    assert not list(runs[0].glob("trials.*"))


def test_nothing_is_overwritten(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_run(n=5)
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(RunError, match=r"mine\.csv exists"):
        export([folder], "csv", tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"
    with pytest.raises(RunError, match="cannot write"):
        export([folder], "csv", tmp_path / "nowhere" / "mine.csv")


def test_a_format_that_is_none(make_run: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="unknown format 'exel'; allowed: csv, json, optuna, parquet"):
        export([make_run(n=5)], "exel", None)


def test_of_two_exports_to_one_file_one_is_refused(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, write = tmp_path / "trials.json", interchange.write_json

    def after_another(folders: list[Path], partial: Path) -> None:
        write(folders, partial)
        file.write_bytes(b"another's")

    monkeypatch.setattr(interchange, "write_json", after_another)
    with pytest.raises(RunError, match=r"trials\.json exists"):
        export([make_run(n=2)], "json", file)
    assert file.read_bytes() == b"another's"
