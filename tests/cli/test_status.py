from __future__ import annotations

import json
from pathlib import Path

import pytest

from metaopt.cli import main


def test_status_as_json(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
    capsys.readouterr()
    assert main(["status", "mine", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["state"] == "finished"
    assert status["tuning"]["done"] == 4
    assert status["confirming"]["done"] in (3, 6)
    assert status["budget"] == {"evaluations": 4, "epochs": None, "seconds": None}


def test_status_to_read(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
    capsys.readouterr()
    assert main(["status", "mine"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["state"] == "finished"
    assert lines["budget"] == "4 evaluations; the budget of 4 evaluations is used up"
    assert lines["trials"].startswith("4 done")
    assert lines["default"].startswith("valid error 0.0437 at 27 epochs (trial 0)")


def test_a_run_that_is_to_be_confirmed_yet_is_not_finished(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
    confirmation = Path("mine/confirm/journal.jsonl")
    confirmation.write_bytes(b"".join(confirmation.read_bytes().splitlines(keepends=True)[:2]))
    capsys.readouterr()
    assert main(["status", "mine"]) == 0
    said = capsys.readouterr().out
    assert "interrupted; go on with: metaopt resume mine" in said
    assert "confirming 0 done, 1 to run again" in said


def test_status_leaves_no_trace(tune: list[str], tmp_path: Path) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert main(["status", "mine"]) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
