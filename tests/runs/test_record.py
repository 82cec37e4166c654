from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from metaopt.core.errors import JournalError, RunError
from metaopt.core.interrupt import Interrupt
from metaopt.objectives import OBJECTIVES
from metaopt.runs import launch
from metaopt.runs.config import load_config
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalWriter
from metaopt.runs.plan import plan
from metaopt.runs.record import RunRecord
from metaopt.settings.run import TuneSettings

FLAGS = {"optimizer": "darts", "executor": "serial", "tuner": "random"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")
    return RunFolder(tmp_path / "run")


def run(folder: RunFolder, **flags: str) -> None:
    settings = load_config(TuneSettings, {**FLAGS, "budget": "8", "confirm": "2", **flags}, {})
    assert launch.start(plan(settings), folder, ["metaopt"], Console(file=io.StringIO()), Interrupt())


def cut(journal: Path, lines: int) -> None:
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:lines]))


def test_a_run_says_what_it_is_and_what_it_found(folder: RunFolder) -> None:
    run(folder)
    record, journal = RunRecord.read(folder), folder.read()
    assert record.default == journal.header["default"]
    assert record.incumbent == journal.incumbent
    assert (record.trials, record.results) == (journal.trials, journal.results)
    assert (record.status.done, record.status.failed) == (len(journal.results), record.tally.failed)
    assert record.confirmation is not None
    assert len(record.confirmation.results("default")) == 2
    assert record.driver == ""


def test_events_that_are_read_already_say_the_same(folder: RunFolder) -> None:
    run(folder)
    assert RunRecord.of(folder, folder.read()).to_json() == RunRecord.read(folder).to_json()


def test_a_run_is_finished_once_its_result_is_confirmed(folder: RunFolder) -> None:
    run(folder)
    assert RunRecord.read(folder).state == "finished"
    cut(folder.confirmation.journal, 2)
    assert RunRecord.read(folder).state == "interrupted"
    folder.confirmation.journal.unlink()
    assert RunRecord.read(folder).state == "interrupted"
    with folder.locked():
        assert RunRecord.read(folder).state == "running"
    cut(folder.journal, 1)
    assert (RunRecord.read(folder).state, RunRecord.read(folder).incumbent) == ("interrupted", None)


def test_a_run_without_an_incumbent_or_a_confirmation_is_finished_with_its_tuning(folder: RunFolder) -> None:
    run(folder, confirm="0")
    record = RunRecord.read(folder)
    assert (record.finished, record.confirmation) == (True, None)


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run folder"):
        RunRecord.read(RunFolder(tmp_path / "none"))


def test_a_budget_that_no_header_states_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with closing(JournalWriter(folder.journal)) as journal:
        journal.header({})
    record = RunRecord.read(folder)
    assert record.state == "interrupted"
    with pytest.raises(JournalError, match=r"the header of the journal .*: it has no settings"):
        record.to_json()
