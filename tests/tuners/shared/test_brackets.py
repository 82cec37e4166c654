from __future__ import annotations

from collections import Counter

import pytest

from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import load_space
from metaopt.tuners.base import Problem
from metaopt.tuners.hyperband import Hyperband
from metaopt.tuners.shared.brackets import bracket_sizes, rung_budgets


def hyperband(seed: int = 1, min_epochs: int = 3, max_epochs: int = 27, eta: int = 3) -> Hyperband:
    return Hyperband(Problem(load_space("darts_cs2"), seed, min_epochs, max_epochs), eta=eta)


def answer(tuner: Hyperband, trials: list[Trial], errors: list[float | None]) -> None:
    for trial, error in zip(trials, errors, strict=True):
        tuner.tell(Result(trial.id, "crashed") if error is None else Result(trial.id, "ok", error))


@pytest.mark.parametrize(
    ("low", "high", "eta", "budgets"),
    [
        (3, 27, 3, [3, 9, 27]),
        (25, 100, 2, [25, 50, 100]),
        (1, 243, 3, [1, 3, 9, 27, 81, 243]),  # hpbandster itself loses the lowest rung here
        (1, 1000, 10, [1, 10, 100, 1000]),  # and here
        (1, 50, 3, [50 / 27, 50 / 9, 50 / 3, 50]),
        (2, 50, 3, [50 / 9, 50 / 3, 50]),
        (7, 7, 3, [7]),
    ],
)
def test_budgets(low: int, high: int, eta: int, budgets: list[float]) -> None:
    assert rung_budgets(low, high, eta) == pytest.approx(budgets)
    assert rung_budgets(low, high, eta)[-1] == high


def test_epochs_of_the_rungs_are_distinct_and_within_the_limits() -> None:
    for low in range(1, 12):
        for high in range(low, 130):
            for eta in (2, 3, 4):
                epochs = [round(budget) for budget in rung_budgets(low, high, eta)]
                assert low <= epochs[0]
                assert epochs == sorted(set(epochs))


def test_sizes() -> None:
    assert [bracket_sizes(i, 3, 2) for i in range(4)] == [[4, 2, 1], [2, 1], [3], [4, 2, 1]]
    assert [bracket_sizes(i, 3, 3) for i in range(3)] == [[9, 3, 1], [3, 1], [3]]
    assert bracket_sizes(0, 6, 3) == [243, 81, 27, 9, 3, 1]


def test_64_brackets_of_the_published_setting() -> None:
    """NAS-Bench-1Shot1: eta 2, epochs 25 to 100, 64 brackets are 280 searches of 193 configurations, 17,100 epochs."""
    tuner = hyperband(min_epochs=25, max_epochs=100, eta=2)
    trials: list[Trial] = []
    while (trial := tuner.ask()[0]).memo["bracket"] < 64:
        trials.append(trial)
        tuner.tell(Result(trial.id, "ok", trial.seed / 2**32))
    assert Counter(trial.epochs for trial in trials) == {25: 88, 50: 86, 100: 106}
    assert len({trial.key for trial in trials}) == 193
    assert sum(trial.epochs for trial in trials) == 17_100


def test_one_bracket_by_hand() -> None:
    tuner = hyperband()
    rung = tuner.ask(9)
    assert {(trial.epochs, trial.memo["rung"], trial.memo["bracket"]) for trial in rung} == {(3, 0, 0)}
    answer(tuner, rung, [0.9, 0.1, 0.8, 0.3, 0.7, None, 0.6, 0.2, 0.5])
    promoted = tuner.ask(3)
    assert [(trial.key, trial.epochs) for trial in promoted] == [(1, 9), (3, 9), (7, 9)]
    assert [trial.config for trial in promoted] == [rung[key].config for key in (1, 3, 7)]
    answer(tuner, promoted, [0.3, 0.2, 0.1])
    assert [(trial.key, trial.epochs) for trial in tuner.ask()] == [(7, 27)]


def test_slots_of_crashed_trials_are_filled_with_new_configurations() -> None:
    tuner = hyperband()
    answer(tuner, tuner.ask(9), [None] * 8 + [0.4])
    promoted = tuner.ask(3)
    assert [trial.key for trial in promoted] == [8, 9, 10]
    assert {trial.epochs for trial in promoted} == {9}


@pytest.mark.parametrize("status", ["crashed", "timeout", "stopped"])
def test_whatever_is_not_ok_is_never_promoted(status: str) -> None:
    tuner = hyperband()
    for trial in tuner.ask(9):
        bad = trial.key < 7
        tuner.tell(Result(trial.id, status if bad else "ok", 0.0 if bad else 0.5))  # type: ignore[arg-type]
    assert [trial.key for trial in tuner.ask(3)] == [7, 8, 9]


def test_a_new_bracket_opens_instead_of_waiting() -> None:
    tuner = hyperband()
    trials = tuner.ask(9 + 3 + 3 + 1)
    assert [trial.memo["bracket"] for trial in trials] == [0] * 9 + [1] * 3 + [2] * 3 + [3]
    assert [trial.epochs for trial in trials] == [3] * 9 + [9] * 3 + [27] * 3 + [3]
    answer(tuner, trials[:9], [0.1 * i for i in range(9)])
    assert tuner.ask()[0].key == 0, "an open bracket goes first"


def test_equal_budgets_make_it_plain_search() -> None:
    trials = hyperband(min_epochs=27).ask(5)
    assert [trial.key for trial in trials] == list(range(5))
    assert {trial.epochs for trial in trials} == {27}
