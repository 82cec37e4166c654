from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metaopt.core.trial import Result
from metaopt.executors import evaluation
from metaopt.executors.base import Recipe, Task
from metaopt.executors.evaluation import evaluate
from metaopt.testing.executor_contract import trial


def evaluate_to(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Result:
    class Fixed:
        def evaluate(self, trial: object, folder: Path) -> Any:
            return answer

    monkeypatch.setattr(evaluation, "_objective", lambda path, settings: Fixed())
    return evaluate(Task(Recipe("no:where", {}), trial(2), Path()))


def test_an_answer_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Result(2, "ok", 0.25, None, cost_s=3.0, info={"cell": "x"})
    assert evaluate_to(monkeypatch, answer) == answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "None is no Result of trial 2"),
        (Result(1, "ok", 0.5), "trial_id is 1; allowed: 2"),
        (Result(2, "ok"), "valid_error is None"),
        (Result(2, "ok", 0.5, float("nan")), "test_error is nan"),
        (Result(2, "ok", 0.5, info={"loss": float("inf")}), "info is no plain JSON"),
        (Result(2, "ok", 0.5, info={"path": Path()}), "info is no plain JSON"),
    ],
)
def test_an_unusable_answer_is_a_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Any, reason: str
) -> None:
    result = evaluate_to(monkeypatch, answer)
    assert (result.trial_id, result.status) == (2, "crashed")
    assert reason in result.reason
    assert reason in capsys.readouterr().err


def test_an_objective_that_is_not_there_is_a_crash(capsys: pytest.CaptureFixture[str]) -> None:
    result = evaluate(Task(Recipe("no_such_module:Objective", {}), trial(2), Path()))
    assert "ModuleNotFoundError" in result.reason


def evaluate_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Result:
    class Raises:
        def evaluate(self, trial: object, folder: Path) -> Any:
            raise error

    monkeypatch.setattr(evaluation, "_objective", lambda path, settings: Raises())
    return evaluate(Task(Recipe("no:where", {}), trial(2), Path()))


def test_what_an_exception_says_is_bounded_and_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    result = evaluate_with(monkeypatch, ValueError("\x1b[31mred\n\udc80" + "x" * 10**6))
    assert result.reason.startswith("ValueError: \\x1b[31mred \\udc80x")
    assert len(result.reason) <= 2000
    assert result.reason.endswith(f"({Path(__file__).name}:{result.reason.split(':')[-1].split()[0]} in evaluate)")


class SilentError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_an_exception_that_cannot_be_said_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert evaluate_with(monkeypatch, SilentError()).reason.startswith("SilentError: (cannot be told: RuntimeError) (")
