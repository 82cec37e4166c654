from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from metaopt.cli import main
from metaopt.cli import report as command


def asked(check: bool) -> Namespace:
    return Namespace(runs=[Path("one"), Path("two")], out=Path("there"), check=check)


def test_report(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "write_report", lambda folders, out: f"{len(folders)} into {out}")
    assert command.report(asked(check=False)) == 0
    assert capsys.readouterr().out == "report: 2 into there\n"


@pytest.mark.parametrize(("differing", "code"), [([], 0), (["report.html"], 2)])
def test_checking_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, differing: list[str], code: int
) -> None:
    monkeypatch.setattr(command, "check_report", lambda folders, out: differing)
    assert command.report(asked(check=True)) == code
    said = capsys.readouterr().out
    assert said == ("differs: report.html\n" if differing else "the report equals its journals\n")


def test_a_run_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "one"]) == 2
    assert "there is no run folder one" in capsys.readouterr().err
