from __future__ import annotations

import dataclasses
import json

import pytest

from metaopt.core.trial import Result, Trial, charged_epochs

TRIAL = Trial(id=3, key=2, config={"learning_rate": 0.1, "cutout": False, "op": "a"}, epochs=9, seed=7, memo={"b": [1]})
RESULT = Result(trial_id=3, status="ok", valid_error=0.125, test_error=0.25, cost_s=1.5, info={"cell": "x"})


@pytest.mark.parametrize("record", [TRIAL, RESULT])
def test_records_are_one_json_line(record: Trial | Result) -> None:
    line = json.dumps(record.to_json())
    assert "\n" not in line
    assert type(record).from_json(json.loads(line)) == record


@pytest.mark.parametrize("record", [TRIAL, RESULT])
def test_records_are_frozen(record: Trial | Result) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, dataclasses.fields(record)[0].name, 1)


def test_a_failure_has_the_worst_loss() -> None:
    assert RESULT.loss == 0.125
    assert Result(trial_id=3, status="crashed", reason="no memory").loss == 1.0


def test_what_was_trained_is_charged_and_what_was_asked_for_until_that_is_known() -> None:
    assert charged_epochs(TRIAL, None) == charged_epochs(TRIAL, RESULT) == 9
    assert charged_epochs(TRIAL, dataclasses.replace(RESULT, epochs=4)) == 4


def test_while_it_runs_a_trial_is_charged_the_most_that_it_may_train() -> None:
    dear = dataclasses.replace(TRIAL, most_epochs=30)
    assert dear == TRIAL  # a tuner does not know it
    assert charged_epochs(dear, None) == 30
    assert charged_epochs(dear, RESULT) == 9
    assert charged_epochs(dear, dataclasses.replace(RESULT, epochs=21)) == 21
    assert "most_epochs" not in TRIAL.to_json()
    assert Trial.from_json(json.loads(json.dumps(dear.to_json()))).most_epochs == 30


def test_results_of_journals_from_before_the_epochs_of_results_are_read() -> None:
    old = RESULT.to_json()
    del old["epochs"]
    assert Result.from_json(old) == RESULT


def test_restarts_are_kept_where_there_are_any() -> None:
    """A journal without one is as it was before results had them."""
    assert "restarts" not in RESULT.to_json()
    begun_again = dataclasses.replace(RESULT, restarts=2)
    assert Result.from_json(json.loads(json.dumps(begun_again.to_json()))) == begun_again
