from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

import lookups
from metaopt.core.registry import resolve
from metaopt.core.trial import Result, Trial
from metaopt.runs.draws import _SIGNS, only_draws
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem


def played(name: str, n: int, **options: Any) -> list[Trial]:
    tuner = resolve("tuner", TUNERS, name)(Problem(lookups.SPACE, 1, 8, 8), **options)
    trials = []
    for _ in range(n):
        (trial,) = tuner.ask()
        trials.append(trial)
        tuner.tell(Result(trial.id, "ok", valid_error=lookups.valid_error(*map(str, trial.config.values()))))
    return trials


@pytest.mark.parametrize(
    ("name", "option", "enough"),
    [("re", "population", 40), ("tpe", "startup", 40), ("local_search", "n_starts", 40), ("bohb", None, 60)],
)
def test_what_has_only_drawn_so_far_is_said_so(name: str, option: str | None, enough: int) -> None:
    options = {} if option is None else {option: 10}
    trials = played(name, enough, **options)
    settings = {"tuner": name, "tuner_options": options}
    said = only_draws(settings, trials[:8])
    assert said.startswith(f"{name} was ")
    assert "so far: of 8 trials none is " in said
    assert (", here 10; " in said) is (option is not None)
    assert only_draws(settings, trials) == ""


def test_of_what_always_draws_nothing_is_said() -> None:
    for name in ("random", "hyperband", "reinforce"):
        assert only_draws({"tuner": name}, played(name, 8)) == ""


def test_where_memos_say_nothing_nothing_is_said() -> None:
    assert only_draws({"tuner": "re"}, [Trial(0, 0, {"x": 1}, 8, seed=0)]) == ""
    assert only_draws({"tuner": "re"}, []) == ""
    assert only_draws({}, [Trial(0, 0, {"x": 1}, 8, seed=0)]) == ""


@pytest.mark.parametrize("name", _SIGNS)
def test_named_are_options_and_memos_that_there_are(name: str) -> None:
    assert _SIGNS[name].option in {field.name for field in fields(resolve("tuner", TUNERS, name).Options)}
    (trial,) = played(name, 1)
    assert only_draws({"tuner": name}, [trial])
