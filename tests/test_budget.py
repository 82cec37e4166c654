"""No tuner makes a run spend more than asked, whatever fails: real runs over the real table, a third of them failures.

Every registered tuner runs here by itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import harness
from metaopt.core.registry import resolve
from metaopt.core.trial import Budget, Result, Trial, charged_epochs
from metaopt.executors.base import Recipe
from metaopt.executors.simulated import SimulatedExecutor
from metaopt.runs.journal import Event, JournalRecord, JournalWriter, read, without_clock
from metaopt.runs.loop import Run
from metaopt.spaces.space import load_space
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem, Tuner
from unreliable import Unreliable

#: Small models, so that they come into play in a short run and that the test is fast.
OPTIONS: dict[str, dict[str, Any]] = {
    "bananas": {"batch": 4, "candidates": 20, "members": 2, "n_initial": 8},
    "bohb": {"num_samples": 4},
    "grid": {"over": ["op_1", "op_4", "parents_3", "parents_output"]},
    "re": {"population": 10, "tournament": 3},
    "smac": {"challengers": 10, "n_initial": 8, "retrain_after": 16},
    "smac_mf": {"challengers": 10, "retrain_after": 16},
}
RECIPE = Recipe("unreliable:Unreliable", {}, needs_process=False)
EPOCHS = (1, 8)

pytestmark = pytest.mark.slow


class Unwatched:
    """Nobody looks at the run."""

    def replayed(self, events: Sequence[Event]) -> None:
        pass

    def asked(self, at_s: float, trial: Trial) -> None:
        pass

    def told(self, at_s: float, result: Result) -> None:
        pass

    def passed(self, at_s: float) -> None:
        pass


@pytest.fixture(scope="module")
def objective() -> Unreliable:
    return Unreliable()


def new(name: str, objective: Unreliable) -> Tuner:
    tuner: Tuner = resolve("tuner", TUNERS, name)(
        Problem(objective.space, 4, EPOCHS[0], EPOCHS[1]), **OPTIONS.get(name, {})
    )
    return tuner


def run(tuner: Tuner, budget: Budget, workers: int, path: Path) -> JournalRecord:
    """Runs to the end and returns the journal."""
    with contextlib.closing(JournalWriter(path)) as journal:
        journal.header({})
        study = Run(
            *(tuner, SimulatedExecutor(RECIPE, workers), journal, read(path), budget),
            *(lambda n: path.parent / f"{n:05d}", Unwatched()),
            dearest_epochs=lambda config, epochs: epochs + Unreliable.beyond,
        )
        end = study.run()
    recorded = read(path)
    assert recorded.end == end
    return recorded


def check_whole(recorded: JournalRecord, workers: int) -> None:
    """Every trial is asked once, then told once, no more of them at a time than there are workers; some fail."""
    assert [trial.id for trial in recorded.trials] == list(range(len(recorded.trials)))
    tells = [event.record.trial_id for event in recorded.events if isinstance(event.record, Result)]
    assert sorted(tells) == list(range(len(recorded.trials)))
    running = [0]
    for event in recorded.events:
        running.append(running[-1] + (1 if isinstance(event.record, Trial) else -1))
    assert (min(running), max(running), running[-1]) == (0, workers, 0)
    failed = [result for result in recorded.results.values() if result.status in ("crashed", "timeout")]
    assert 0 < len(failed) < len(recorded.trials)


def charged(recorded: JournalRecord) -> int:
    return sum(charged_epochs(trial, recorded.results[trial.id]) for trial in recorded.trials)


def refunded_late(recorded: JournalRecord) -> int:
    """Epochs that trials left which were still running at the last ask."""
    last = max(n for n, event in enumerate(recorded.events) if isinstance(event.record, Trial))
    late = [event.record for event in recorded.events[last:] if isinstance(event.record, Result)]
    asked = {trial.id: trial for trial in recorded.trials}
    return sum(
        charged_epochs(trial, None) - charged_epochs(trial, result)
        for result in late
        for trial in [asked[result.trial_id]]
    )


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", sorted(TUNERS))
def test_evaluations(name: str, workers: int, objective: Unreliable, tmp_path: Path) -> None:
    recorded = run(new(name, objective), Budget(evaluations=24), workers, tmp_path / "journal.jsonl")
    assert recorded.end == "the budget of 24 evaluations is used up"
    assert len(recorded.trials) == 24
    check_whole(recorded, workers)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", sorted(TUNERS))
def test_epochs(name: str, workers: int, objective: Unreliable, tmp_path: Path) -> None:
    """What a trial trained is charged, and what is left in the end is too little for another one at its dearest.

    Where trials differ in epochs, the one that did not fit may have been asked for before the last ones trained less.
    """
    tuner = new(name, objective)
    recorded = run(tuner, Budget(epochs=150), workers, tmp_path / "journal.jsonl")
    assert recorded.end.endswith("does not fit into the budget of 150 epochs")
    assert charged(recorded) <= 150
    assert 150 - max(tuner.possible_epochs) - Unreliable.beyond < charged(recorded) + refunded_late(recorded)
    check_whole(recorded, workers)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", sorted(TUNERS))
def test_seconds(name: str, workers: int, objective: Unreliable, tmp_path: Path) -> None:
    """The run ends at the second asked for; what is running then is told as stopped."""
    recorded = run(new(name, objective), Budget(seconds=3.25), workers, tmp_path / "journal.jsonl")
    assert recorded.end == "the budget of 3.25 s is used up"
    assert recorded.elapsed_s == 3.25
    check_whole(recorded, workers)
    stopped = [result for result in recorded.results.values() if result.status == "stopped"]
    assert len(stopped) == workers
    assert {result.reason for result in stopped} == {recorded.end}
    assert all(result.loss == 1.0 for result in stopped)
    assert sum(result.cost_s for result in recorded.results.values()) <= 3.25 * workers


def test_failures_of_all_kinds_and_equal_runs(objective: Unreliable, tmp_path: Path) -> None:
    """What the tests above rest on; and a failure's real duration does not move the order of results."""
    journals = [tmp_path / name for name in ("journal.jsonl", "again.jsonl")]
    recorded, _ = (run(new("random", objective), Budget(evaluations=90), 8, path) for path in journals)
    failed = [result for result in recorded.results.values() if result.status != "ok"]
    assert len(failed) == pytest.approx(30, abs=10)
    reasons = {result.reason.split(" (")[0] for result in failed}
    assert reasons == {
        "ArithmeticError: on purpose",
        "its answer cannot be used: valid_error is nan; allowed: a number in [0, 1]",
        "on purpose",
    }
    first, second = (without_clock(harness.lines(path)) for path in journals)
    assert first == second


def test_a_run_of_failures_only_ends_in_time(tmp_path: Path) -> None:
    tuner = resolve("tuner", TUNERS, "random")(Problem(load_space("darts"), 1, 1, 8))
    recorded = run(tuner, Budget(seconds=30.0), 4, tmp_path / "journal.jsonl")
    assert {result.status for result in recorded.results.values()} == {"crashed", "stopped"}
    assert recorded.elapsed_s == 30.0
