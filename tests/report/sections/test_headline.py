from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.report.data.load import RunData, load_run
from metaopt.report.sections.headline import confirmation, headline, ratio, shown

DEFAULT, TUNED = {"x": 1}, {"x": 2}


@pytest.fixture
def run_with(write_run: Callable[..., Path], answer: Callable[..., object]) -> Callable[..., RunData]:
    """A run whose tuning found ``TUNED``, with given test errors of the confirmation's sides."""

    def make(of_default: list[float | None], of_tuned: list[float | None], **head: object) -> RunData:
        repeats = [(0, DEFAULT, e) for e in of_default] + [(1, TUNED, e) for e in of_tuned]
        confirmed = [
            answer(i, error, error, key=key, config=config, reason="" if error is not None else "killed")
            for i, (key, config, error) in enumerate(repeats)
        ]
        answers = [answer(0, 0.30, 0.30, config=DEFAULT), answer(1, 0.20, 0.20, config=TUNED)]
        optima = {"optimum_valid_error": 0.1, "optimum_test_error": 0.1}
        folder = write_run(answers, confirmed=confirmed, **{"default": DEFAULT, "objective": optima, **head})
        return load_run(folder)

    return make


def test_a_clear_gain_is_called_one(run_with: Callable[..., RunData]) -> None:
    found = headline(run_with([0.40, 0.41, 0.39, 0.40], [0.20, 0.21, 0.19, 0.20]))
    assert (found.tone, found.number) == ("better", "3.00×")
    assert "from 0.3000 with the default to 0.1000 tuned" in found.sentence
    assert "n = 4 and 4" in found.sentence
    assert "p = 0.029" in found.sentence


def test_the_gain_above_the_floor_of_a_choice_by_validation_error_is_said(run_with: Callable[..., RunData]) -> None:
    floor = {"objective": {"optimum_valid_error": 0.1, "optimum_test_error": 0.1, "selected_test_error": 0.15}}
    found = headline(run_with([0.40, 0.41, 0.39, 0.40], [0.20, 0.21, 0.19, 0.20], **floor))
    assert found.number == "3.00×"
    assert "test regret of 0.0500" in found.sentence
    assert "above this floor the ratio is 5.00×." in found.sentence
    reached = headline(run_with([0.40, 0.41, 0.39, 0.40], [0.14, 0.15, 0.13, 0.14], **floor))
    assert "; the mean tuned regret does not lie above it." in reached.sentence


def test_a_clear_loss_is_called_one(run_with: Callable[..., RunData]) -> None:
    found = headline(run_with([0.20, 0.21, 0.19, 0.20], [0.40, 0.41, 0.39, 0.40]))
    assert (found.tone, found.number) == ("worse", "0.33×")


def test_three_wide_repeats_decide_nothing(run_with: Callable[..., RunData]) -> None:
    found = headline(run_with([0.50, 0.60, 0.70], [0.20, 0.30, 0.40]))
    assert (found.tone, found.number) == ("inconclusive", "2.50×")
    assert "no upper bound" in found.sentence


def test_a_regret_of_zero_has_no_ratio(run_with: Callable[..., RunData]) -> None:
    found = headline(run_with([0.5, 0.6], [0.1, 0.1]))
    assert (found.tone, found.number) == ("inconclusive", "–")
    assert "zero has no ratio" in found.sentence


def test_failed_repeats_are_left_out_and_counted(run_with: Callable[..., RunData]) -> None:
    run = run_with([0.4, None, 0.5], [0.2, 0.3, None])
    found = confirmation(run)
    assert (len(found.default), len(found.tuned), found.failed) == (2, 2, 2)
    assert shown(run, found.default, "test") == pytest.approx([0.3, 0.4])
    assert ratio(run, "test").value == pytest.approx(0.35 / 0.15)


def test_an_unknown_optimum_compares_errors(run_with: Callable[..., RunData]) -> None:
    found = headline(run_with([0.4, 0.4], [0.2, 0.2], objective={}))
    assert found.number == "2.00×"
    assert "mean test error" in found.sentence


def test_without_confirmation_nothing_is_claimed(run_with: Callable[..., RunData]) -> None:
    found = headline(run_with([], []))
    assert (found.tone, found.number) == ("open", "0.2000")
    assert "flatters itself" in found.sentence


def test_a_default_that_stayed_the_best_is_said(run_with: Callable[..., RunData]) -> None:
    found = headline(run_with([], [], default=TUNED))
    assert found.label == "the default stayed the best"


def test_a_run_without_answers_or_success_says_so(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    assert headline(load_run(write_run([]))).label == "no finished trial yet"
    failed = headline(load_run(write_run([answer(0, None, reason="x"), answer(1, None, reason="x")])))
    assert (failed.tone, failed.label) == ("worse", "no trial succeeded")
