from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metaopt.executors import evaluation
from metaopt.executors.base import Recipe, Task
from metaopt.executors.evaluation import evaluate
from metaopt.testing.executor_contract import trial
from metaopt.trial import Result


def evaluate_to(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Result:
    class Fixed:
        def evaluate(self, trial: object, folder: Path) -> Any:
            return answer

    monkeypatch.setattr(evaluation, "_objective", lambda path, settings: Fixed())
    return evaluate(Task(Recipe("no:where", {}), trial(2), Path()))


def test_an_answer_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Result(2, "ok", 0.25, None, cost_s=3.0, info={"cell": "x"})
    assert evaluate_to(monkeypatch, answer) is answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "returned None instead of a Result of trial 2"),
        (Result(1, "ok", 0.5), "instead of a Result of trial 2"),
        (Result(2, "ok"), "valid_error is None"),
        (Result(2, "ok", 0.5, float("nan")), "test_error is nan"),
        (Result(2, "ok", 0.5, info={"loss": float("inf")}), "JSON compliant"),
        (Result(2, "ok", 0.5, info={"path": Path()}), "not JSON serializable"),
    ],
)
def test_an_unusable_answer_is_a_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Any, reason: str
) -> None:
    result = evaluate_to(monkeypatch, answer)
    assert (result.trial_id, result.status) == (2, "crashed")
    assert reason in result.reason
    assert "Traceback" in capsys.readouterr().err


def test_an_objective_that_is_not_there_is_a_crash(capsys: pytest.CaptureFixture[str]) -> None:
    result = evaluate(Task(Recipe("no_such_module:Objective", {}), trial(2), Path()))
    assert "ModuleNotFoundError" in result.reason
