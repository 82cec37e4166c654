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


def test_report(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metaopt.report.pages.run.write_report", lambda folders, out: f"{len(folders)} into {out}")
    assert main(["report", "one", "two", "--out", "there"]) == 0
    assert capsys.readouterr().out == "report: 2 into there\n"


@pytest.mark.parametrize(("differing", "code"), [([], 0), (["report.html"], 2)])
def test_checking_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, differing: list[str], code: int
) -> None:
    monkeypatch.setattr("metaopt.report.pages.run.check_report", lambda folders, out: differing)
    assert main(["report", "one", "--check"]) == code
    said = capsys.readouterr().out
    assert said == ("differs: report.html\n" if differing else "the report equals its journals\n")


def test_trials_for_other_programs(tune: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*tune, "--folder", "mine"]) == 0
    capsys.readouterr()
    assert main(["export", "mine", "--to", "csv"]) == 0
    assert capsys.readouterr().out == "csv: mine/trials.csv\n"
    assert len(Path("mine/trials.csv").read_text().splitlines()) > 5
    assert main(["export", "mine", "--to", "csv"]) == 2
    assert "mine/trials.csv exists\n  name another file with --out" in capsys.readouterr().err
    assert main(["export", "mine", "--to", "exel"]) == 2
    assert "unknown format 'exel'" in capsys.readouterr().err
