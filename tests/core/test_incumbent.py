from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaopt.core.incumbent import Incumbent, final_errors
from metaopt.core.trial import Result, Trial

FINAL = {"final_valid_error": 0.5, "final_test_error": 0.6}


def incumbent(answered: Iterable[tuple[Trial, Result]]) -> Trial | None:
    best = Incumbent()
    for trial, result in answered:
        best.take(trial, result)
    return best.found[0] if best.found else None


def pair(number: int, error: float | None, epochs: int, **info: float) -> tuple[Trial, Result]:
    status = "crashed" if error is None else "ok"
    return Trial(number, number, {}, epochs, 0), Result(number, status, error, info=info)


@pytest.mark.parametrize(
    ("answered", "chosen"),
    [
        ([], None),
        ([pair(0, None, 9)], None),
        ([pair(0, 0.1, 3), pair(1, 0.4, 9), pair(2, 0.3, 9), pair(3, None, 27)], 2),
        ([pair(2, 0.3, 9), pair(1, 0.3, 9)], 1),
        ([pair(0, 0.1, 3, **FINAL), pair(1, 0.4, 9)], 0),
        ([pair(0, 0.1, 3), pair(1, 0.3, 3, **FINAL), pair(2, 0.4, 9)], 1),
    ],
)
def test_the_lowest_error_of_what_is_known_at_the_most_epochs(
    answered: list[tuple[Trial, Result]], chosen: int | None
) -> None:
    found = incumbent(answered)
    assert (None if found is None else found.id) == chosen


@pytest.mark.parametrize("wrong", [None, "0.1", True, -0.1, 1.5, float("nan"), [0.1]])
def test_what_is_no_error_is_not_final(wrong: object) -> None:
    assert final_errors(FINAL) == (0.5, 0.6)
    assert final_errors({**FINAL, "final_valid_error": wrong}) is None
    assert final_errors({}) is None


@given(
    st.lists(st.tuples(st.sampled_from([None, 0.1, 0.2, 0.3]), st.sampled_from([3, 9, 27]), st.booleans()), max_size=8),
    st.randoms(use_true_random=False),
)
def test_one_after_the_other_is_all_at_once(given_: list[tuple[float | None, int, bool]], random: Random) -> None:
    answered = [pair(n, error, epochs, **(FINAL if final else {})) for n, (error, epochs, final) in enumerate(given_)]
    ok = [(trial, result) for trial, result in answered if result.status == "ok"]
    most = max((trial.epochs for trial, _ in ok), default=0)
    told = [(result.loss, trial.id) for trial, result in ok if trial.epochs == most or final_errors(result.info)]
    random.shuffle(answered)
    found = incumbent(answered)
    assert (None if found is None else found.id) == min(told, default=(0, None))[1]
