from __future__ import annotations

import json

import pytest

from metaopt.cli import main
from metaopt.doctor import checks
from metaopt.doctor.checks import Finding, examine_all


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("problem", 2)])
def test_a_line_per_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    found = {"first": Finding("ok", "fine"), "second": Finding(state, "so", "do that")}  # type: ignore[arg-type]
    monkeypatch.setattr("metaopt.cli.doctor.examine_all", lambda: found)
    assert main(["doctor"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["ok", "first", "fine"], [state, "second", "so;", "do", "that"]]


def test_as_json_and_for_real(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", "/proc/metaopt")
    some = {name: checks.CHECKS[name] for name in ("python", "home", "runs")}
    monkeypatch.setattr("metaopt.cli.doctor.examine_all", lambda: examine_all(some))
    assert main(["doctor", "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["python"]["state"] == "ok"
    assert said["home"]["state"] == "problem"
    assert said["runs"]["state"] == "ok"
    assert said["home"].keys() == {"state", "text", "advice"}
