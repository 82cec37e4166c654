from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from metaopt.report.data.incumbents import anytime, best_cell
from metaopt.report.data.load import RunData, load_run

OPTIMA = {"optimum_valid_error": 0.1, "optimum_test_error": 0.05}


@pytest.fixture
def run(write_run: Callable[..., Path], answer: Callable[..., object]) -> RunData:
    answers = [
        answer(0, None, reason="out of memory"),
        answer(1, 0.30, 0.20, epochs=3, config={"x": 1}),
        answer(2, 0.20, 0.28, epochs=9),
        answer(3, 0.25, 0.10, epochs=27, config={"x": 1}),
        answer(4, 0.20, 0.01, epochs=27, config={"x": 2}),
    ]
    return load_run(write_run(answers, objective=OPTIMA, default={"x": 1}))


def test_the_incumbent_follows_validation_and_never_test(run: RunData) -> None:
    curve = anytime(run)
    assert_allclose(curve.evaluations, [1, 2, 3, 4, 5])
    assert_allclose(curve.seconds, [1, 3, 5, 7, 9])
    assert_allclose(curve.epochs, [27, 30, 39, 66, 93])
    assert_allclose(curve.valid, [np.nan, 0.20, 0.10, 0.10, 0.10])
    assert_allclose(curve.test, [np.nan, 0.15, 0.23, 0.23, 0.23])


TABLE = {"name": "table", **OPTIMA, "table": {"cells": 9, "seeds": 2, "epochs": [3, 9, 27]}}


def final(valid: float, test: float) -> dict[str, float]:
    return {"final_valid_error": valid, "final_test_error": test}


def test_a_short_look_up_chooses_and_its_cell_counts_after_all_epochs(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    answers = [
        answer(0, 0.30, 0.31, epochs=3, info=final(0.15, 0.10)),
        answer(1, 0.20, 0.18, epochs=27),
        answer(2, 0.05, 0.02, epochs=9, info=final(0.25, 0.30)),  # better after a few epochs than after all
        answer(3, 0.40, 0.01, epochs=3),  # of an older version, that does not say what it is worth
        answer(4, 0.01, 0.01, epochs=9),
    ]
    run = load_run(write_run(answers, objective=TABLE))
    curve = anytime(run)
    assert_allclose(curve.valid, [0.05, 0.10, 0.15, 0.15, 0.15])
    assert_allclose(curve.test, [0.05, 0.13, 0.25, 0.25, 0.25])
    best, chosen = best_cell(run.ok), run.incumbent
    assert best is chosen is run.evaluations[2]
    assert run.cut_short == 2


def test_look_ups_that_are_all_short_and_do_not_say_what_they_are_worth_have_no_curve(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    run = load_run(write_run([answer(0, 0.30, 0.01, epochs=3), answer(1, 0.02, 0.02, epochs=9)], objective=TABLE))
    assert np.isnan(anytime(run).test).all()
    assert best_cell(run.ok) is None
    assert run.incumbent is run.evaluations[1]


def test_the_error_of_one_repeat_chooses_and_the_mean_counts(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    answers = [answer(0, 0.02, 0.2, info=final(0.15, 0.2)), answer(1, 0.01, 0.3)]
    run = load_run(write_run(answers, objective={**TABLE, "errors": "single"}))
    assert_allclose(anytime(run).valid, [0.05, np.nan])
    assert_allclose(anytime(run).test, [0.15, 0.25])


def test_of_equal_errors_the_first_asked_for_is_the_best(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    run = load_run(write_run([answer(0, 0.2), answer(1, 0.2)]))
    assert best_cell(run.told[::-1]) is run.incumbent is run.evaluations[0]


def test_without_an_optimum_the_curve_is_the_error(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    curve = anytime(load_run(write_run([answer(0, 0.3, 0.4)], objective={})))
    assert (curve.valid.tolist(), curve.test.tolist()) == ([0.3], [0.4])


def test_a_run_without_answers_has_an_empty_curve(write_run: Callable[..., Path]) -> None:
    assert anytime(load_run(write_run([]))).valid.size == 0


def test_the_incumbent_comes_from_the_largest_epochs(run: RunData) -> None:
    best, chosen, default = best_cell(run.ok), run.incumbent, run.default_evaluation
    assert best is not None
    assert chosen is not None
    assert default is not None
    assert (best.trial.id, chosen.trial.id, default.trial.id) == (2, 4, 3)
