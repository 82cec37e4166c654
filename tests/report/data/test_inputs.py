from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.report.data.inputs import EPOCHS, run_importance
from metaopt.report.data.load import load_run


def test_several_runs_are_taken_together(make_run: Callable[..., Path]) -> None:
    runs = [load_run(make_run(n=30, seed=seed)) for seed in (0, 1)]
    found = run_importance(*runs)
    assert found.n_trials == sum(len(run.ok) for run in runs)
    assert run_importance(runs[0]).pairs == {}
    assert len(found.pairs) == len(found.names) * (len(found.names) - 1) // 2
    assert sum(found.mean) + sum(found.pairs.values()) <= 1 + 1e-9


def test_the_hyperparameter_that_matters_is_found(make_run: Callable[..., Path]) -> None:
    found = run_importance(load_run(make_run(n=60)))
    shares = dict(zip(found.names, found.mean, strict=True))
    assert found.names[-1] == EPOCHS
    assert max((name for name in shares if name != EPOCHS), key=shares.__getitem__) == "learning_rate"
    assert shares["learning_rate"] > 5 * shares["schedule"]
    assert sum(found.mean) <= 1
    assert all(0 <= s < 0.1 for s in found.std)
    assert found.fit > 0.3


def test_it_is_the_same_every_time(make_run: Callable[..., Path]) -> None:
    run = load_run(make_run(n=25))
    assert run_importance(run) == run_importance(run)


def test_too_few_trials_give_none(make_run: Callable[..., Path]) -> None:
    found = run_importance(load_run(make_run(n=10)))
    assert (found.names, found.n_trials, found.n_needed) == ((), 10, 14)


def test_a_constant_is_no_input(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    space = {
        "hyperparameters": [
            {"type": "constant", "name": "fixed", "value": 3},
            {"type": "uniform_float", "name": "x", "lower": 0, "upper": 1, "default_value": 0.5},
        ]
    }
    answers = [answer(i, 0.1 + i / 40, config={"fixed": 3, "x": i / 12}) for i in range(12)]
    found = run_importance(load_run(write_run(answers, space=space)))
    assert found.names == ("x",)
    assert found.mean[0] == pytest.approx(1.0)
