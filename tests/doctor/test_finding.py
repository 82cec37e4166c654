from __future__ import annotations

import threading

import pytest

from metaopt.doctor.finding import Finding, examine


def test_a_check_that_fails_or_hangs_is_a_problem_and_the_others_go_on() -> None:
    def fails() -> Finding:
        raise RuntimeError("broken\nin two")

    def exits() -> Finding:
        raise SystemExit(3)

    def hangs() -> Finding:
        threading.Event().wait()
        return Finding("ok", "never")

    found = examine({"a": fails, "b": hangs, "c": exits, "d": lambda: Finding("ok", "fine")}, limit_s=0.2)
    assert list(found) == ["a", "b", "c", "d"]
    assert [finding.state for finding in found.values()] == ["problem", "problem", "problem", "ok"]
    assert found["a"].text == "the check itself failed: RuntimeError: broken in two"
    assert found["b"].text == "no answer within 0.2 s"
    assert all(finding.advice for finding in list(found.values())[:3])


def test_a_finding_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Finding("ok", "x").state = "problem"  # type: ignore[misc]
