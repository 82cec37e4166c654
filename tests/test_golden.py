"""Run folders that earlier versions wrote must stay open to every later one, whole and torn."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from metaopt.cli import main
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import without_clock

pytestmark = pytest.mark.numbers

FOLDERS = sorted(path.parent for path in (Path(__file__).parent / "golden").glob("*/*/journal.jsonl"))


@pytest.fixture(params=FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def run(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    """A copy of a run folder."""
    shutil.copytree(request.param, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def summary(folder: RunFolder) -> dict[str, Any]:
    recorded = folder.read()
    assert recorded.incumbent is not None
    return {
        "end": recorded.end,
        "configs": [dict(trial.config) for trial in recorded.trials],
        "errors": [[n, r.status, r.valid_error, r.test_error] for n, r in recorded.results.items()],
        "elapsed_s": recorded.elapsed_s,
        "incumbent": recorded.incumbent.id,
    }


def plain_events(folder: RunFolder) -> list[Any]:
    return [without_clock(event.record.to_json()) for event in folder.read().events]


def test_there_are_runs_of_both_kinds() -> None:
    assert {folder.name for folder in FOLDERS} >= {"baseline", "tuned"}


def test_it_says_what_it_always_said(run: RunFolder) -> None:
    expected = json.loads((run.path / "expected.json").read_bytes())
    assert summary(run) == expected["run"]
    assert run.confirmation.begun == ("confirmation" in expected)
    if run.confirmation.begun:
        assert summary(run.confirmation) == expected["confirmation"]


def test_it_is_finished(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = run.journal.read_bytes()
    assert main(["status", str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    assert main(["resume", str(run.path), "--no-report"]) == 0
    assert run.journal.read_bytes() == before


@pytest.mark.parametrize("to", ["csv", "json"])
def test_it_is_exported(run: RunFolder, tmp_path: Path, to: str) -> None:
    assert main(["export", str(run.path), "--to", to, "--out", str(tmp_path / "trials")]) == 0
    text = (tmp_path / "trials").read_text()
    for result in run.read().results.values():
        assert result.valid_error is None or str(result.valid_error) in text


@pytest.mark.slow
def test_it_is_reported(run: RunFolder) -> None:
    assert main(["report", str(run.path)]) == 0
    assert (run.report / "report.html").stat().st_size > 10_000


def test_a_baseline_that_began_with_the_default_goes_on_as_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(next(folder for folder in FOLDERS if folder.name == "baseline"), tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    whole, lines = plain_events(run), run.journal.read_bytes().splitlines(keepends=True)
    recorded = run.read()
    assert recorded.trials[0].config == recorded.header["default"]
    run.journal.write_bytes(b"".join(lines[:4]))
    assert main(["resume", str(run.path), "--no-report"]) == 0
    assert plain_events(run) == whole
    assert "  default   valid error" in capsys.readouterr().out


@pytest.mark.slow
def test_torn_and_unfinished_it_goes_on(run: RunFolder) -> None:
    whole, lines = plain_events(run), run.journal.read_bytes().splitlines(keepends=True)
    shutil.rmtree(run.confirmation.path, ignore_errors=True)
    run.journal.write_bytes(b"".join(lines[:4]) + lines[4][:-20])
    kept = plain_events(run)
    assert kept == whole[: len(kept)]
    assert main(["resume", str(run.path), "--no-report"]) == 0
    done = run.read()
    assert plain_events(run)[: len(kept)] == kept
    assert len(done.trials) >= 2
    assert done.end
    assert run.confirmation.begun == bool(done.header["run"]["confirm"])
