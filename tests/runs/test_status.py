from __future__ import annotations

import pickle

import pytest

from metaopt.core.trial import Budget, Result, Trial
from metaopt.runs.journal import Event, RunRecord
from metaopt.runs.status import RunStatus, Score, Tally


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
RECORDED = RunRecord({}, tuple(Event(float(n), record) for n, record in enumerate(RECORDS)), "", 0)


def test_where_the_header_denies_a_default_there_is_none() -> None:
    for header, has_default in (({"default": None}, False), ({"default": {"x": 0.5}}, True), ({}, True)):
        standing = RunStatus.of(RunRecord(header, RECORDED.events, "", 0), Budget())
        assert (standing.default is not None) is has_default
        assert standing.incumbent is not None


def test_counts() -> None:
    standing = RunStatus.of(RECORDED, Budget())
    assert (standing.done, standing.failed, standing.predicted, standing.running) == (4, 1, 1, 1)
    assert standing.restarts == 3
    assert (standing.epochs, standing.elapsed_s, standing.left_s) == (33, 8.0, None)


def test_default_and_incumbent_are_taken_at_their_most_epochs() -> None:
    standing = RunStatus.of(RECORDED, Budget())
    assert standing.default == standing.incumbent == Score(2, 9, 0.3, 0.35)
    earlier = RunStatus.of(RunRecord({}, RECORDED.events[:4], "", 0), Budget())
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
    assert RunStatus.of(RECORDED, budget, now_s=12.0).left_s == pytest.approx(left_s)


def test_nothing_yet() -> None:
    standing = RunStatus.of(RunRecord({}, (), "", 0), Budget(evaluations=5))
    assert (standing.done, standing.default, standing.incumbent, standing.left_s) == (0, None, None, None)
    assert standing.to_json()["running"] == 0


def test_what_was_trained_counts_and_not_what_was_asked_for() -> None:
    """The trial of 9 epochs trained 21, one that failed none: 3 + 3 + 21 + 9 of them are done, 9 run."""
    records = [Result(2, "ok", 0.3, epochs=21) if record == RECORDS[5] else record for record in RECORDS]
    standing = RunStatus.of(
        RunRecord({}, tuple(Event(float(n), record) for n, record in enumerate(records)), "", 0),
        Budget(epochs=72),
        now_s=12.0,
    )
    assert standing.epochs == 45
    assert standing.left_s == pytest.approx(12.0)


def test_a_tally_keeps_nothing_of_what_is_answered() -> None:
    tally = Tally()
    for number in range(500):
        tally.take(Event(float(number), trial(number, number / 500, 3)))
        tally.take(Event(float(number), Result(number, "ok", 0.9 - number / 1000, info={"cell": "x" * 100})))
    kept = len(pickle.dumps(tally))
    assert not tally.running
    for number in range(500, 1500):
        tally.take(Event(float(number), trial(number, number / 1500, 3)))
        tally.take(Event(float(number), Result(number, "ok", 0.9, info={"cell": "x" * 100})))
    assert len(pickle.dumps(tally)) <= kept + 50, "it grows with the run"
    standing = tally.standing(Budget(evaluations=2000), 1500.0)
    assert (standing.done, standing.left_s) == (1500, pytest.approx(500.0))


@pytest.mark.parametrize("cut", range(len(RECORDS) + 1))
def test_a_tally_is_the_standing_at_any_time(cut: int) -> None:
    recorded = RunRecord({}, RECORDED.events[:cut], "", 0)
    tally = Tally()
    for event in recorded.events:
        tally.take(event)
    assert tally.standing(Budget(epochs=99), recorded.elapsed_s) == RunStatus.of(recorded, Budget(epochs=99))
    assert tally.incumbent == recorded.incumbent


def test_a_cell_whose_final_test_error_is_unknown_has_none() -> None:
    """Else what ``status --json`` prints would be no JSON."""
    answer = Result(0, "ok", 0.4, 0.45, info={"final_valid_error": 0.3})
    recorded = RunRecord({}, (Event(0.0, trial(0, 0.5, 3)), Event(1.0, answer)), "", 0)
    incumbent = RunStatus.of(recorded, Budget()).incumbent
    assert incumbent is not None
    assert incumbent.test_error is None
