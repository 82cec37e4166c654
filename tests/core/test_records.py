from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaopt.core.records import DEEPEST, LARGEST_ANSWER, RecordError, answered, result_of, trial_of
from metaopt.core.trial import Result, Trial

TRIAL = Trial(3, 2, {"lr": 0.1, "op": "conv", "on": True, "n": 4}, 9, 17, {"rung": 1, "parts": [1, {"a": None}]})
OK = Result(3, "ok", 0.25, 0.5, 12.5, info={"cell": "0:a", "one_shot_error": 0.5, "predicted": False}, cpu_s=3.0)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_what_was_written_is_read() -> None:
    for trial in (TRIAL, Trial(0, 0, {}, 0, 0)):
        assert trial_of(json.loads(json.dumps(trial.to_json()))) == trial
    for result in (OK, Result(0, "crashed", reason="why", restarts=2), Result(1, "ok", 0, 1, epochs=0)):
        assert result_of(json.loads(json.dumps(result.to_json()))) == result
        assert answered(result.trial_id, result) == result
        assert answered(result.trial_id, result.to_json()) == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": -1}, "id is -1; allowed: a whole number from 0"),
        ({"id": True}, "id is True"),
        ({"key": 2**63}, "key is 9223372036854775808"),
        ({"key": 1.0}, "key is 1.0"),
        ({"epochs": 10**30}, "epochs is 10{30}; allowed: a whole number from 0 to 1000000000"),
        ({"seed": None}, "seed is None"),
        ({"config": None}, "config is None; allowed: a mapping"),
        ({"config": [1]}, "config is"),
        ({"config": {"grad_clip": {"a": 1}}}, r"config.grad_clip is {'a': 1}; allowed: a finite number, true"),
        ({"config": {"lr": None}}, "config.lr is None"),
        ({"config": {"lr": 2**63}}, "config.lr is"),
        ({"config": {"op": "\udc80"}}, "config.op is '.udc80'"),
        ({"config": {"op": "\x1b[2J"}}, "config.op is '.x1b"),
        ({"config": {"\x1b[2J": 1}}, "a name in config is '.x1b"),
        ({"config": {"lr": math.inf}}, "config.lr is inf"),
        ({"memo": 1}, "memo is 1; allowed: a mapping"),
        ({"memo": {"a": math.nan}}, "memo.a is nan; allowed: a finite number"),
        ({"memo": {"a": nested(DEEPEST + 1)}}, "memo.a is .*; allowed: mappings and lists .* at most 20 deep"),
        ({"memo": {"a": 10**400}}, "memo.a is a number of 1329 bits"),
    ],
)
def test_a_trial_of_another_form_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        trial_of(TRIAL.to_json() | change)


BAD_RESULTS: list[tuple[dict[str, Any], str]] = [
    ({"status": "weird"}, "status is 'weird'; allowed: crashed, ok, stopped, timeout"),
    ({"status": ["ok"]}, "status is"),
    ({"valid_error": 37.2}, r"valid_error is 37.2; allowed: a number in \[0, 1\]"),
    ({"valid_error": -5}, "valid_error is -5"),
    ({"valid_error": "0.25"}, "valid_error is '0.25'"),
    ({"valid_error": True}, "valid_error is True"),
    ({"valid_error": None}, "valid_error is None"),
    ({"valid_error": math.nan}, "valid_error is nan"),
    ({"test_error": 1.5}, "test_error is 1.5"),
    ({"status": "crashed"}, "valid_error is 0.25; allowed: none, as the status is crashed"),
    ({"status": "timeout", "valid_error": None}, "test_error is 0.5; allowed: none"),
    ({"cost_s": -5.0}, "cost_s is -5.0; allowed: seconds from 0"),
    ({"cost_s": math.inf}, "cost_s is inf"),
    ({"cost_s": None}, "cost_s is None"),
    ({"cost_s": 1e308}, r"cost_s is 1e\+308"),
    ({"cost_s": 10**400}, "cost_s is a number of 1329 bits"),
    ({"cpu_s": "1"}, "cpu_s is '1'"),
    ({"epochs": 10**30}, "epochs is"),
    ({"epochs": 1.5}, "epochs is 1.5"),
    ({"restarts": -1}, "restarts is -1"),
    ({"reason": 5}, "reason is 5; allowed: text"),
    ({"info": None}, "info is None; allowed: a mapping"),
    ({"info": [1]}, "info is"),
    ({"info": {"cell": 5}}, "info.cell is 5; allowed: text"),
    ({"info": {"predicted": "yes"}}, "info.predicted is 'yes'; allowed: true or false"),
    ({"info": {"one_shot_error": "low"}}, "info.one_shot_error is 'low'"),
    ({"info": {"trajectory": [1]}}, "info.trajectory is"),
    ({"info": {"trajectory": {"cell": [1]}}}, r"info.trajectory.cell\[0\] is 1; allowed: text"),
    ({"info": {"trajectory": {"a": [1], "b": []}}}, "info.trajectory is .* columns of one length"),
    ({"info": {"test_errors": 0.5}}, "info.test_errors is 0.5; allowed: a list"),
    ({"info": {"deep": nested(DEEPEST + 1)}}, "info.deep is .*deep"),
    ({"info": {"n": 10**400}}, "info.n is a number of"),
]


@pytest.mark.parametrize(("change", "message"), BAD_RESULTS)
def test_a_result_of_another_form_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        result_of(OK.to_json() | change)


@pytest.mark.parametrize("kind", [trial_of, result_of])
def test_what_is_no_record_is_refused(kind: Any) -> None:
    for data, message in ((None, "a mapping"), ([], "a mapping"), ({}, "has no "), ({"x": 1}, "has no field 'x'")):
        with pytest.raises(RecordError, match=message):
            kind(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *BAD_RESULTS,
        ({"trial_id": 2}, "trial_id is 2; allowed: 3, the trial that was evaluated"),
        ({"trial_id": True}, "trial_id is True"),
        ({"info": {"a": math.nan}}, "info is no plain JSON"),
        ({"info": {"a": Path()}}, "info is no plain JSON"),
        ({"info": {"n": 10**5000}}, "info is no plain JSON"),
        ({"info": nested(10**4)}, "info is no plain JSON"),
        ({"info": {"a": "x" * LARGEST_ANSWER}}, "info has 167.* bytes as JSON; allowed: 16777216"),
    ],
)
def test_a_bad_answer_is_a_crash_of_its_trial(change: dict[str, Any], message: str) -> None:
    for answer in (replace(OK, **change), {**OK.to_json(), **change}):
        result = answered(3, answer, cost_s=7.0)
        assert (result.trial_id, result.status, result.valid_error) == (3, "crashed", None)
        assert result.cost_s == (7.0 if "cost_s" in change else 12.5)
        assert answered(3, result) == result
    with pytest.raises(RecordError, match=message):
        raise RecordError(result.reason)


@pytest.mark.parametrize("answer", [None, "ok", 5, [], {}, object(), {"x": 1}, {1: 2}])
def test_no_answer_at_all_is_a_crash(answer: object) -> None:
    result = answered(3, answer, cost_s=7.0)
    assert (result.trial_id, result.status, result.cost_s) == (3, "crashed", 7.0)
    assert "its answer cannot be used" in result.reason


def test_an_object_that_fails_when_it_is_looked_at_is_a_crash() -> None:
    class Bad(Result):
        @property
        def valid_error(self) -> float:  # type: ignore[override]
            raise RuntimeError("no")

    assert answered(3, Bad.__new__(Bad)).status == "crashed"


def test_numbers_of_numpy_are_numbers() -> None:
    answer = Result(3, "ok", np.float32(0.5), np.float64(0.25), np.float64(1.0), epochs=np.int64(4))  # type: ignore[arg-type]
    result = answered(3, answer)
    assert result == Result(3, "ok", 0.5, 0.25, 1.0, epochs=4)
    assert [type(value) for value in (result.valid_error, result.test_error, result.epochs)] == [float, float, int]


def test_further_values_are_those_that_a_journal_gives_back() -> None:
    assert answered(3, replace(OK, info={"a": (1, 2), 5: "x"})).info == {"a": [1, 2], "5": "x"}


def test_texts_are_made_harmless_once() -> None:
    info = {"note": ["\udc80"], "\x00": "\u202e", "ok": 1}
    answer = Result(3, "crashed", reason="\x1b[31m\na" + "b" * 10**6, info=info)
    result = answered(3, answer)
    assert result.reason.startswith("\\x1b[31m ab")
    assert len(result.reason) <= 2000
    assert result.info == {"note": ["\\udc80"], "\\x00": "\\u202e", "ok": 1}
    assert result_of(answer.to_json()) == result
