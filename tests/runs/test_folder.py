from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.core.errors import JournalError, RunError
from metaopt.core.paths import TRAJECTORY
from metaopt.report.data.load import load_run
from metaopt.runs.folder import RunFolder, new_folder

HOLD = """
import sys, pathlib
from metaopt.runs.folder import RunFolder
with RunFolder(pathlib.Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "deep" / "run")


def begin(folder: RunFolder) -> None:
    folder.create()
    with folder.locked():
        folder.begin({"run": {}})


def test_a_new_folder(folder: RunFolder) -> None:
    begin(folder)
    assert folder.begun
    assert folder.read().header["run"] == {}
    assert folder.trial(17) == folder.path / "trials" / "00017"
    assert folder.confirmation.journal == folder.path / "confirm" / "journal.jsonl"
    assert not folder.confirmation.begun


def test_a_folder_with_a_run_is_refused_untouched(folder: RunFolder) -> None:
    begin(folder)
    before = folder.journal.read_bytes()
    with pytest.raises(RunError, match="holds a run") as error:
        folder.create()
    assert f"metaopt resume {folder.path}" in error.value.hint
    assert folder.journal.read_bytes() == before


def test_a_folder_with_anything_else_is_refused(folder: RunFolder) -> None:
    folder.path.mkdir(parents=True)
    (folder.path / "thesis.tex").touch()
    with pytest.raises(RunError, match=r"is not empty: it holds thesis\.tex"):
        folder.create()


def test_what_a_killed_start_left_does_not_count(folder: RunFolder) -> None:
    begin(folder)
    folder.journal.write_bytes(folder.journal.read_bytes()[:-1])
    assert not folder.begun
    begin(folder)
    assert folder.begun


def test_a_file_in_the_way(folder: RunFolder) -> None:
    folder.path.parent.mkdir(parents=True)
    folder.path.touch()
    with pytest.raises(RunError, match=r"cannot make the run folder .* File exists"):
        folder.create()


def test_a_folder_that_cannot_be_written(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(RunError, match="Permission denied"):
        folder.create()


def test_reading_what_is_no_run(folder: RunFolder) -> None:
    with pytest.raises(RunError, match="there is no run folder"):
        folder.read()
    folder.path.mkdir(parents=True)
    with pytest.raises(RunError, match=r"is not a run folder: it has no journal\.jsonl"):
        folder.read()
    folder.journal.touch()
    with pytest.raises(JournalError, match="it is empty"):
        folder.read()


def test_a_second_driver_is_refused_and_told_of_the_first(folder: RunFolder) -> None:
    begin(folder)
    assert folder.driver == ""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert folder.driver == f"process {holder.pid} on {os.uname().nodename}"
        with pytest.raises(RunError, match=f"another driver works on .*: process {holder.pid} on"), folder.locked():
            pass
        holder.kill()
    # The system takes the lock from a driver that dies.
    assert folder.driver == ""
    with folder.locked():
        pass


def test_asking_for_the_driver_does_not_make_a_file(folder: RunFolder) -> None:
    folder.path.mkdir(parents=True)
    assert folder.driver == ""
    assert not list(folder.path.iterdir())


def test_a_new_folder_is_given_away_once(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "run"
    assert new_folder(path) == path
    assert new_folder(path).name == "run-2"
    (tmp_path / "runs" / "run-3").touch()
    assert new_folder(path).name == "run-4"


def test_a_start_that_had_looked_before_another_one_began_loses_nothing(folder: RunFolder) -> None:
    folder.create()
    begin(folder)
    before = folder.journal.read_bytes()
    with folder.locked(), pytest.raises(RunError, match="holds a run"):
        folder.begin({"run": {"seed": 1}})
    assert folder.journal.read_bytes() == before


def test_names_with_blanks_can_be_pasted(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a b")
    begin(folder)
    with pytest.raises(RunError) as error:
        folder.create()
    assert f"metaopt resume '{folder.path}'" in error.value.hint


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("study.yaml", "this is a study: metaopt compare {folder}/study.yaml --no-run"),
        ("search.json", "this is a search: its page is in {folder}/report"),
        ("notes.txt", "name a folder that metaopt tune has made"),
    ],
)
@pytest.mark.parametrize("read", [lambda folder: RunFolder(folder).read(), load_run], ids=["status", "report"])
def test_folders_of_other_commands_are_known(
    tmp_path: Path, read: Callable[[Path], object], file: str, hint: str
) -> None:
    (tmp_path / file).touch()
    with pytest.raises(RunError, match="is not a run folder") as error:
        read(tmp_path)
    assert error.value.hint == hint.format(folder=tmp_path)


def test_the_epochs_of_a_running_search_are_in_its_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.trained(3) == 0
    folder.trial(3).mkdir(parents=True)
    for text, epochs in (("{}", 0), ("[", 0), ('{"epoch": [1, 2]}', 2)):
        (folder.trial(3) / TRAJECTORY).write_text(text)
        assert folder.trained(3) == epochs
