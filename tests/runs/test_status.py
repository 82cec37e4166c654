from __future__ import annotations

import pickle
from collections.abc import Iterable

import pytest

from metaopt.core.trial import Budget, Result, Trial
from metaopt.runs.status import Score, Tally


def trial(number: int, x: float, epochs: int) -> Trial:
    return Trial(number, number, {"x": x}, epochs, seed=0)


#: The default at 3 and 9 epochs, a better one at 3, a failure, and one that still runs; one event a second.
RECORDS: list[Trial | Result] = [
    trial(0, 0.5, 3),
    Result(0, "ok", 0.4, 0.45),
    trial(1, 0.1, 3),
    Result(1, "ok", 0.1, info={"predicted": True}),
    trial(2, 0.5, 9),
    Result(2, "ok", 0.3, 0.35, restarts=2),
    trial(3, 0.9, 9),
    Result(3, "crashed", restarts=1),
    trial(4, 0.2, 9),
]
DEFAULT = {"x": 0.5}


def tally(records: Iterable[Trial | Result] = RECORDS, default: dict[str, float] | None = DEFAULT) -> Tally:
    found = Tally(default)
    for record in records:
        found.take(record)
    return found


def test_of_a_space_without_a_default_there_is_none() -> None:
    status = tally(default=None).status(Budget(), 8.0)
    assert status.default is None
    assert status.incumbent is not None


def test_counts() -> None:
    status = tally().status(Budget(), 8.0)
    assert (status.done, status.failed, status.predicted, status.running) == (4, 1, 1, 1)
    assert status.restarts == 3
    assert (status.epochs, status.elapsed_s, status.left_s) == (33, 8.0, None)


def test_default_and_incumbent_are_taken_at_their_most_epochs() -> None:
    status = tally().status(Budget(), 8.0)
    assert status.default == status.incumbent == Score(2, 9, 0.3, 0.35)
    earlier = tally(RECORDS[:4]).status(Budget(), 3.0)
    assert earlier.default == Score(0, 3, 0.4, 0.45)
    assert earlier.incumbent == Score(1, 3, 0.1, None)


@pytest.mark.parametrize(
    ("budget", "left_s"),
    [
        (Budget(evaluations=8), 12.0),  # 4 of 8 took 12 s
        (Budget(epochs=48), 12.0),  # 24 of 48 epochs took 12 s
        (Budget(seconds=15), 3.0),
        (Budget(evaluations=8, seconds=15), 3.0),
        (Budget(seconds=10), 0.0),
    ],
)
def test_time_left_at_the_rate_so_far(budget: Budget, left_s: float) -> None:
    assert tally().status(budget, 12.0).left_s == pytest.approx(left_s)


def test_nothing_yet() -> None:
    status = tally([]).status(Budget(evaluations=5), 0.0)
    assert (status.done, status.default, status.incumbent, status.left_s) == (0, None, None, None)
    assert status.to_json()["running"] == 0


def test_what_was_trained_counts_and_not_what_was_asked_for() -> None:
    """The trial of 9 epochs trained 21, one that failed none: 3 + 3 + 21 + 9 of them are done, 9 run."""
    records = [Result(2, "ok", 0.3, epochs=21) if record == RECORDS[5] else record for record in RECORDS]
    status = tally(records).status(Budget(epochs=72), 12.0)
    assert status.epochs == 45
    assert status.left_s == pytest.approx(12.0)


def test_a_tally_keeps_nothing_of_what_is_answered() -> None:
    found = Tally(DEFAULT)
    for number in range(500):
        found.take(trial(number, number / 500, 3))
        found.take(Result(number, "ok", 0.9 - number / 1000, info={"cell": "x" * 100}))
    kept = len(pickle.dumps(found))
    assert not found.running
    for number in range(500, 1500):
        found.take(trial(number, number / 1500, 3))
        found.take(Result(number, "ok", 0.9, info={"cell": "x" * 100}))
    assert len(pickle.dumps(found)) <= kept + 50, "it grows with the run"
    status = found.status(Budget(evaluations=2000), 1500.0)
    assert (status.done, status.left_s) == (1500, pytest.approx(500.0))


def test_a_cell_whose_final_test_error_is_unknown_has_none() -> None:
    """Else what ``status --json`` prints would be no JSON."""
    answer = Result(0, "ok", 0.4, 0.45, info={"final_valid_error": 0.3})
    incumbent = tally([trial(0, 0.5, 3), answer]).status(Budget(), 1.0).incumbent
    assert incumbent is not None
    assert incumbent.test_error is None
