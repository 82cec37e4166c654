from __future__ import annotations

import json
from pathlib import Path

import pytest

from metaopt.cli import main
from metaopt.runs.folder import RunFolder

RECORD = ["benchmark", "record", "--optimizer", "darts", "--executor", "serial"]
RUN = Path("runs/darts-digits1-design-s0")


def test_searches_are_recorded_in_a_folder_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RECORD, "--searches", "13"]) == 0
    said = capsys.readouterr()
    assert f"run folder: {RUN}\n" in said.err
    assert f"searches: {RUN}/journal.jsonl\n" in said.out
    gather = f"metaopt benchmark gather-searches {RUN} --benchmark digits --cell-space 1 --out searches.parquet"
    assert gather in said.out
    assert "13 evaluations, " in said.out
    assert "incumbent" not in said.out
    assert "tuning 1/13 trials" in said.err
    assert "about " in said.err
    recorded = RunFolder(RUN).read()
    assert [trial.key for trial in recorded.trials] == [0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 8, 9]
    assert {trial.epochs for trial in recorded.trials} == {27}
    assert (recorded.record.config.tuner, recorded.record.config.confirm) == ("design", 0)
    assert not RunFolder(RUN).confirmation.begun


def test_the_same_command_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RECORD, "--searches", "13"]) == 0
    whole = RUN / "journal.jsonl"
    lines = whole.read_bytes().splitlines(keepends=True)
    whole.write_bytes(b"".join(lines[:9]))
    capsys.readouterr()
    assert main([*RECORD, "--searches", "13"]) == 0
    assert f"run folder: {RUN}, begun before\n" in capsys.readouterr().err
    events = [json.loads(line) for line in whole.read_text().splitlines()[1:]]
    assert [event.get("trial") for event in events] == [json.loads(line).get("trial") for line in lines[1:]]
    before = whole.read_bytes()
    assert main([*RECORD, "--searches", "13"]) == 0
    assert whole.read_bytes() == before


def test_a_folder_of_other_settings_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RECORD, "--searches", "2", "--out", "mine"]) == 0
    before = Path("mine/journal.jsonl").read_bytes()
    other = ["--searches", "2", "--out", "mine", "--max-epochs", "9", "--seed", "4"]
    assert main([*RECORD, *other]) == 2
    said = capsys.readouterr().err
    assert "mine holds a run of other settings: " in said
    assert "max_epochs was 27 and is 9" in said
    assert "seed was 0 and is 4" in said
    assert "record more in another folder, with another --seed" in said
    assert Path("mine/journal.jsonl").read_bytes() == before


def test_options_of_the_design_are_taken() -> None:
    assert main([*RECORD, "--searches", "5", "--tuner-options", "every=1", "--tuner-options", "repeats=2"]) == 0
    assert [trial.key for trial in RunFolder(RUN).read().trials] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--searches", "0"], "searches is 0; allowed: 1 or more"),
        ([], "--searches"),
        (["--searches", "3", "--budget", "3"], "does not take '--budget'"),
        (["--searches", "3", "--tuner", "bohb"], "does not take '--tuner'"),
    ],
)
def test_refuses(more: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RECORD, *more]) == 2
    assert message in capsys.readouterr().err


def test_without_an_optimizer_it_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "record", "--searches", "3"]) == 2
    assert "no one-shot optimizer is given; allowed: " in capsys.readouterr().err
