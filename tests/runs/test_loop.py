from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import ConfigurationSpace, Float

from metaopt.core.errors import JournalError
from metaopt.core.trial import Budget, Result, Trial
from metaopt.executors.base import Executor, Recipe
from metaopt.runs.failures import EveryTrialFailsError
from metaopt.runs.journal import Event, JournalWriter, read
from metaopt.runs.loop import Run
from metaopt.tuners.base import Problem, Proposal, Tuner
from metaopt.tuners.random import Random

SPACE = ConfigurationSpace(space=[Float("x", (0.0, 1.0))])


class Clock:
    """Time that only passes when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Desk(Executor):
    """Finishes the newest trial first, one per wait; ``hangs`` never finish; all train ``trained`` epochs."""

    def __init__(
        self,
        clock: Clock,
        workers: int = 2,
        pace_s: float = 1.0,
        hangs: Sequence[int] = (),
        trained: int | None = None,
        reasons: Sequence[str] = (),
    ) -> None:
        super().__init__(Recipe("no:where", {}), workers)
        self.clock, self.pace_s, self.hangs, self.trained, self.reasons = clock, pace_s, hangs, trained, reasons
        self.here: dict[int, Trial] = {}
        self.submitted: list[int] = []
        self.stopped: set[int] = set()

    @property
    def running(self) -> frozenset[int]:
        return frozenset(self.here)

    def submit(self, trial: Trial, folder: Path) -> None:
        assert self.free
        assert folder.name == f"{trial.id:05d}"
        self.here[trial.id] = trial
        self.submitted.append(trial.id)

    def wait(self, timeout_s: float) -> list[Result]:
        self.clock.now_s += self.pace_s
        for trial_id in sorted(self.here, reverse=True):
            if trial_id in self.stopped or trial_id not in self.hangs:
                trial = self.here.pop(trial_id)
                stopped = trial_id in self.stopped
                ok = Result(trial_id, "ok", float(trial.config["x"]), epochs=self.trained)
                if trial_id < len(self.reasons) and self.reasons[trial_id]:
                    ok = Result(trial_id, "crashed", reason=self.reasons[trial_id])
                return [Result(trial_id, "stopped") if stopped else ok]
        return []

    def stop(self, trial_ids: Iterable[int]) -> None:
        self.stopped.update(trial_ids)

    def close(self) -> None:
        pass


class Rungs(Tuner):
    """Evaluates for 2, 4, 8 ... epochs; ends after ``length`` trials; never has more than two running."""

    length = 100

    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        if ask >= self.length or len(self._running) >= 2:
            return None
        return Proposal(ask, self.first, 2 ** (1 + ask % 3))

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        pass


class Watch:
    def __init__(self) -> None:
        self.asks: list[int] = []
        self.tells: list[int] = []
        self.earlier: list[Event] = []

    def replayed(self, events: Sequence[Event]) -> None:
        self.earlier += events

    def asked(self, at_s: float, trial: Trial) -> None:
        self.asks.append(trial.id)

    def told(self, at_s: float, result: Result) -> None:
        self.tells.append(result.trial_id)

    def passed(self, at_s: float) -> None:
        pass


class Driven:
    """One journal, and as many drivers as a test wants to put on it; a trial may train ``beyond`` what it is asked."""

    beyond = 0

    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.watch = path, Clock(), Watch()
        with contextlib.closing(JournalWriter(path)) as journal:
            journal.header({})

    def drive(
        self,
        budget: Budget,
        tuner: type[Tuner] = Rungs,
        interrupted: Callable[[], bool] = lambda: False,
        patience: int = 0,
        **desk: Any,
    ) -> str:
        recorded, self.watch = read(self.path), Watch()
        self.desk = Desk(self.clock, **desk)
        fresh = tuner(Problem(SPACE, 1, 1, 8))
        with contextlib.closing(JournalWriter(self.path, recorded)) as journal:
            folder = self.path.parent
            study = Run(
                *(fresh, self.desk, journal, recorded, budget, lambda n: folder / f"{n:05d}", self.watch),
                interrupted=interrupted,
                stop_after_failures=patience,
                again="metaopt resume RUN",
                dearest_epochs=lambda config, epochs: epochs + self.beyond,
            )
            return study.run()

    @property
    def asks(self) -> list[Trial]:
        return read(self.path).trials

    @property
    def told(self) -> dict[int, Result]:
        return read(self.path).results


@pytest.fixture
def run(tmp_path: Path) -> Driven:
    return Driven(tmp_path / "journal.jsonl")


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_evaluations_are_spent_exactly(run: Driven, workers: int) -> None:
    assert run.drive(Budget(evaluations=7), workers=workers) == "the budget of 7 evaluations is used up"
    assert [trial.id for trial in run.asks] == list(range(7)) == sorted(run.told)
    assert run.watch.asks == [trial.id for trial in run.asks]
    assert run.watch.tells == list(run.told)
    assert read(run.path).end == "the budget of 7 evaluations is used up"


@pytest.mark.parametrize(("trained", "asks"), [(None, 4), (1, 11), (9, 1)])
def test_epochs_that_were_trained_are_charged_also_after_a_resume(
    tmp_path: Path, trained: int | None, asks: int
) -> None:
    """Trials ask for 2, 4 and 8 epochs in turn, one at a time."""
    for name in ("whole", "resumed"):
        run = Driven(tmp_path / name)
        run.beyond = max(0, (trained or 0) - 2)
        if name == "resumed":
            stop = lambda: len(run.watch.tells) == 1  # noqa: E731, B023
            assert run.drive(Budget(epochs=17), interrupted=stop, workers=1, trained=trained) == ""
        end = run.drive(Budget(epochs=17), workers=1, trained=trained)
        assert re.fullmatch(r"the next trial(, .*,)? does not fit into the budget of 17 epochs", end)
        assert len(run.asks) == len(run.told) == asks


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("trained", [None, 8, 11])
@pytest.mark.parametrize("killed", [False, True])
def test_a_trial_that_may_train_more_than_is_left_is_not_started(
    run: Driven, workers: int, trained: int | None, killed: bool
) -> None:
    """Trials of 8 epochs that may train 11; of the next one that is 3 too many."""
    run.beyond, used = 3, trained or 8
    budget = Budget(epochs=2 * used + 10)
    if killed:
        stop = lambda: bool(run.watch.asks)  # noqa: E731
        assert run.drive(budget, Random, stop, workers=workers, hangs=[0], trained=trained) == ""
        assert {trial.most_epochs for trial in run.asks} == {11}
    end = run.drive(budget, Random, workers=workers, trained=trained)
    assert end == f"the next trial, which may train 11 epochs, does not fit into the budget of {budget.epochs} epochs"
    assert len(run.asks) == len(run.told) == 2
    assert all(trial.most_epochs == 11 for trial in run.asks)


def test_what_ran_when_asks_did_not_say_what_a_trial_may_train_is_charged_that_now(run: Driven) -> None:
    run.drive(Budget(epochs=20), Random, interrupted=lambda: bool(run.watch.asks), workers=1, hangs=[0])
    run.beyond = 3
    run.drive(Budget(epochs=20), Random, workers=2, trained=11)
    assert [trial.most_epochs for trial in run.asks] == [None]


def test_a_trial_that_does_not_fit_into_the_epochs_is_not_started(run: Driven) -> None:
    assert "does not fit into the budget of 21 epochs" in run.drive(Budget(epochs=21))
    assert [trial.epochs for trial in run.asks] == [2, 4, 8, 2, 4]
    assert len(run.told) == 5


@pytest.mark.parametrize("workers", [1, 3])
def test_epochs_that_running_trials_leave_are_spent(run: Driven, workers: int) -> None:
    """Trials of 8 epochs that stop after 4: three of them fill the budget for a while, and five fit in."""
    end = run.drive(Budget(epochs=24), tuner=Random, workers=workers, trained=4)
    assert end == "the next trial does not fit into the budget of 24 epochs"
    assert len(run.asks) == len(run.told) == 5


def test_the_first_budget_used_up_ends_the_run(run: Driven) -> None:
    assert "3 evaluations" in run.drive(Budget(evaluations=3, epochs=100, seconds=100))


def test_a_tuner_may_end_the_run(run: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rungs, "length", 4)
    assert run.drive(Budget(evaluations=9)) == "the tuner has nothing more to propose"
    assert len(run.told) == 4


def test_at_the_deadline_running_trials_are_stopped_and_told(run: Driven) -> None:
    assert run.drive(Budget(seconds=5), hangs=[1]) == "the budget of 5 s is used up"
    assert sorted(run.told) == [trial.id for trial in run.asks]
    assert run.told[1].status == "stopped"
    assert run.told[1].reason == "the budget of 5 s is used up"
    assert run.told[1].loss == 1.0


def test_seconds_are_counted_over_all_drivers_and_not_between_them(run: Driven) -> None:
    assert run.drive(Budget(seconds=6), interrupted=lambda: run.clock.now_s >= 1003) == ""
    spent = read(run.path).elapsed_s
    assert 2 <= spent <= 4
    run.clock.now_s = 50_000.0
    run.drive(Budget(seconds=6))
    assert run.clock.now_s < 50_000 + 6
    assert read(run.path).elapsed_s >= 6 - 1


def test_seconds_without_any_event_are_counted_too(run: Driven) -> None:
    run.drive(Budget(seconds=60), interrupted=lambda: run.clock.now_s >= 1010, hangs=[0, 1])
    assert read(run.path).elapsed_s >= 8


def test_a_run_resumed_after_its_deadline_tells_what_was_in_flight_as_stopped(run: Driven) -> None:
    run.drive(Budget(evaluations=9), interrupted=lambda: run.clock.now_s >= 1003, hangs=[0])
    assert run.drive(Budget(seconds=1)) == "the budget of 1 s is used up"
    assert run.desk.submitted == []
    assert sorted(run.told) == [trial.id for trial in run.asks]


def test_an_interrupt_stops_trials_but_does_not_tell_them(run: Driven) -> None:
    assert run.drive(Budget(evaluations=9), interrupted=lambda: run.clock.now_s >= 1004, hangs=[0]) == ""
    assert run.desk.stopped
    assert read(run.path).end == ""
    assert 0 not in run.told
    assert all(result.status == "ok" for result in run.told.values())


def test_what_was_in_flight_is_submitted_first_with_the_same_ids(run: Driven) -> None:
    run.drive(Budget(evaluations=9), interrupted=lambda: run.clock.now_s >= 1003, hangs=[0])
    in_flight = [trial.id for trial in run.asks if trial.id not in run.told]
    assert in_flight
    events = len(read(run.path).events)
    run.drive(Budget(evaluations=9))
    assert run.desk.submitted[: len(in_flight)] == in_flight
    assert [trial.id for trial in run.asks] == list(range(9)) == sorted(run.told)
    assert len(run.watch.earlier) == events


@pytest.mark.parametrize("kill_after", range(1, 13))
def test_a_serial_run_resumed_anywhere_equals_an_uninterrupted_one(
    run: Driven, tmp_path: Path, kill_after: int
) -> None:
    run.drive(Budget(evaluations=6), tuner=Random, workers=1)
    lines = run.path.read_bytes().splitlines(keepends=True)
    other = Driven(tmp_path / "other.jsonl")
    other.path.write_bytes(b"".join(lines[: 1 + kill_after]) + lines[1 + kill_after][:9])
    other.drive(Budget(evaluations=6), tuner=Random, workers=1)
    assert [event.record for event in read(other.path).events] == [event.record for event in read(run.path).events]


def test_a_finished_run_is_left_alone(run: Driven) -> None:
    end = run.drive(Budget(evaluations=3))
    before = run.path.read_bytes()
    assert run.drive(Budget(evaluations=3)) == end
    assert run.path.read_bytes() == before
    assert run.desk.submitted == []


def test_a_journal_of_another_tuner_is_refused(run: Driven) -> None:
    run.drive(Budget(evaluations=3))
    with pytest.raises(JournalError, match="not what this tuner asks for"):
        run.drive(Budget(evaluations=3), tuner=Random)


def test_the_ask_is_on_the_disk_before_the_trial_is_submitted(run: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = Desk.submit

    def check(self: Desk, trial: Trial, folder: Path) -> None:
        assert read(run.path).trials[-1].id >= trial.id
        submit(self, trial, folder)

    monkeypatch.setattr(Desk, "submit", check)
    run.drive(Budget(evaluations=4))


def test_the_tell_is_on_the_disk_before_the_tuner_learns(run: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    tell = Rungs.tell

    def check(self: Rungs, result: Result) -> None:
        assert result.trial_id in read(run.path).results
        tell(self, result)

    monkeypatch.setattr(Rungs, "tell", check)
    run.drive(Budget(evaluations=4))


@pytest.mark.parametrize("workers", [1, 2, 50])
def test_a_run_of_equal_failures_only_is_stopped_and_can_go_on_with_the_rest(run: Driven, workers: int) -> None:
    with pytest.raises(EveryTrialFailsError, match=r"5 evaluations in a row failed .*no room: 7") as caught:
        run.drive(Budget(evaluations=40), Random, patience=5, workers=workers, reasons=["no room: 7"] * 40)
    assert "go on with: metaopt resume RUN" in caught.value.hint
    recorded = read(run.path)
    assert not recorded.end
    assert 5 <= len(recorded.results) <= 5 + workers
    assert run.drive(Budget(evaluations=40), Random, patience=5) == "the budget of 40 evaluations is used up"
    assert [trial.id for trial in run.asks] == list(range(40)) == sorted(run.told)


def test_and_is_stopped_again_while_the_cause_is_there(run: Driven) -> None:
    for times in (1, 2):
        with pytest.raises(EveryTrialFailsError):
            run.drive(Budget(evaluations=40), Random, patience=5, workers=1, reasons=["no room"] * 40)
        assert len(run.told) == 5 * times


@pytest.mark.parametrize(
    ("reasons", "patience"),
    [
        (["", *["no room"] * 19], 5),
        (["no room"] * 4 + [""] + ["no room"] * 15, 5),
        (["no room", "no memory"] * 10, 5),
        (["no room"] * 20, 0),
    ],
    ids=["first-succeeds", "fifth-succeeds", "differ", "never"],
)
def test_a_run_that_may_have_hope_uses_its_budget(run: Driven, reasons: list[str], patience: int) -> None:
    end = run.drive(Budget(evaluations=20), Random, patience=patience, workers=1, reasons=reasons)
    assert end == "the budget of 20 evaluations is used up"
    assert len(run.told) == 20


def test_after_a_success_nothing_is_counted_in_a_resumed_run_either(run: Driven) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        run.drive(Budget(evaluations=1), Random, patience=5, workers=1)
    lines = run.path.read_bytes().splitlines(keepends=True)
    run.path.write_bytes(b"".join(lines[:-1]))  # without its end
    assert run.drive(Budget(evaluations=20), Random, patience=5, workers=1, reasons=["no room"] * 20)
    assert len(run.told) == 20


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Result(1, "weird"), "status is 'weird'"),  # type: ignore[arg-type]
        (Result(1, "ok", 37.2), "valid_error is 37.2; allowed"),
        (Result(1, "crashed", reason="\x1b[2J\udc80"), "\\x1b[2J\\udc80"),
    ],
)
def test_whatever_an_executor_brings_costs_one_trial(
    run: Driven, monkeypatch: pytest.MonkeyPatch, answer: Result, reason: str
) -> None:
    wait = Desk.wait
    monkeypatch.setattr(Desk, "wait", lambda self, s: [r if r.trial_id != 1 else answer for r in wait(self, s)])
    run.drive(Budget(evaluations=3))
    results = read(run.path).results
    assert {n: result.status for n, result in results.items()} == {0: "ok", 1: "crashed", 2: "ok"}
    assert reason in results[1].reason
