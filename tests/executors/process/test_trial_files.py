from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from metaopt.core.trial import Result
from metaopt.executors.base import Recipe, Task
from metaopt.executors.process.trial_files import RESULT, STARTS, count_start, store_result, stored_result
from metaopt.objectives.scratch import keep
from metaopt.testing.executor_contract import trial

ANSWER = Result(4, "ok", 0.25, restarts=2)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(Recipe("no:where", {}), trial(4), tmp_path)


def of_another_trial(task: Task) -> Task:
    return replace(task, trial=trial(4, x=0.1))


def test_a_result_is_that_of_its_trial(task: Task) -> None:
    assert stored_result(task) is None
    store_result(task, ANSWER)
    assert stored_result(task) == ANSWER
    assert stored_result(of_another_trial(task)) is None


def test_starts_are_counted_per_trial(task: Task) -> None:
    assert [count_start(task) for _ in range(3)] == [0, 1, 2]
    assert count_start(of_another_trial(task)) == 0


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"trial": 3}', b"\xff"])
def test_damaged_files_are_as_none(task: Task, content: bytes) -> None:
    for name in (RESULT, STARTS):
        (task.folder / name).write_bytes(content)
    assert stored_result(task) is None
    assert count_start(task) == 0


def test_with_a_result_nothing_is_left_to_go_on_with(task: Task) -> None:
    count_start(task)
    keep(task.folder, "state", b"", 1.0)
    (task.folder / "trajectory.json").touch()
    store_result(task, ANSWER)
    assert sorted(path.name for path in task.folder.iterdir()) == [RESULT, "trajectory.json"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"trial_id": 9, "status": "ok", "valid_error": 0.1}, "trial_id is 9; allowed: 4"),
        ({"trial_id": 4, "status": "ok", "valid_error": -5}, r"valid_error is -5; allowed: a number in \[0, 1\]"),
        ({"trial_id": 4, "status": "ok", "valid_error": "0.1"}, "valid_error is '0.1'"),
        ({"trial_id": 4, "status": "weird"}, "status is 'weird'; allowed: crashed, ok, stopped, timeout"),
        ([], r"\[\] is no Result of trial 4"),
        ({"trial_id": 4}, "the result has no status"),
    ],
)
def test_a_result_that_the_trial_itself_may_have_written_is_checked(task: Task, answer: object, reason: str) -> None:
    content = {"trial": task.trial.to_json(), "result": answer}
    (task.folder / RESULT).write_text(json.dumps(content))
    result = stored_result(task)
    assert result is not None
    assert (result.trial_id, result.status) == (4, "crashed")
    assert re.search(reason, result.reason)


def test_a_file_that_nests_too_deep_is_as_none(task: Task) -> None:
    (task.folder / RESULT).write_text("[" * 10**5)
    assert stored_result(task) is None
