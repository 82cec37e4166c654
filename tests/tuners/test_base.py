from __future__ import annotations

import dataclasses

import pytest
from ConfigSpace import ConfigurationSpace, Float

from metaopt.core.errors import ConfigError, JournalError
from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Result, Trial
from metaopt.tuners.base import Problem, Proposal, Tuner


class Countdown(Tuner):
    """Proposes three configurations and remembers what it was told."""

    def __init__(self, space: ConfigurationSpace, min_epochs: int = 1, max_epochs: int = 9) -> None:
        super().__init__(Problem(space, 7, min_epochs, max_epochs))
        self.told: list[tuple[int, int, str]] = []

    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        config = logged.config if logged else {"rate": 0.25 * (ask + 1)}
        return Proposal(key=ask, config=config, epochs=9, memo={"left": 2 - ask}) if ask < 3 else None

    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        self.told.append((tell, trial.id, result.status))


@pytest.fixture
def space() -> ConfigurationSpace:
    space = ConfigurationSpace(name="one")
    space.add(Float("rate", (0.0, 1.0), default=0.5))
    return space


def test_ask_returns_what_there_is(space: ConfigurationSpace) -> None:
    tuner = Countdown(space)
    assert [trial.id for trial in tuner.ask(2)] == [0, 1]
    assert tuner.ask(2) == [Trial(2, 2, {"rate": 0.75}, 9, seed_integer(7, 2, "trial"), {"left": 0})]
    assert tuner.ask(2) == []


def test_tells_are_numbered_in_their_order(space: ConfigurationSpace) -> None:
    tuner = Countdown(space)
    tuner.ask(3)
    tuner.tell(Result(2, "ok", 0.5))
    tuner.tell(Result(0, "crashed"))
    assert tuner.told == [(0, 2, "ok"), (1, 0, "crashed")]


@pytest.mark.parametrize(("low", "high"), [(0, 9), (-1, 9), (10, 9)])
def test_epochs_are_checked(low: int, high: int, space: ConfigurationSpace) -> None:
    with pytest.raises(ConfigError, match=f"got {low} and {high}"):
        Countdown(space, low, high)


@pytest.mark.parametrize(
    "change",
    [
        {"id": 5},
        {"key": 4},
        {"epochs": 3},
        {"seed": 1},
        {"memo": {}},
        {"config": {"rate": 2.0}},
        {"config": {"rat": 1}},
    ],
)
def test_replay_names_the_first_misfit(change: dict[str, object], space: ConfigurationSpace) -> None:
    first, second = Countdown(space).ask(2)
    bad = dataclasses.replace(second, **change)
    with pytest.raises(JournalError, match=f"trial {bad.id} of the journal does not fit") as caught:
        Countdown(space).replay([first, bad])
    assert "resume a run with the settings" in caught.value.hint


def test_replay_refuses_more_than_the_tuner_asks_for(space: ConfigurationSpace) -> None:
    trials = Countdown(space).ask(3)
    with pytest.raises(JournalError, match="trial 3"):
        Countdown(space).replay([*trials, dataclasses.replace(trials[2], id=3)])


def test_replay_takes_the_logged_configuration(space: ConfigurationSpace) -> None:
    logged = dataclasses.replace(Countdown(space).ask()[0], config={"rate": 0.125})
    tuner = Countdown(space)
    tuner.replay([logged, Result(0, "ok", 0.5)])
    assert tuner.told == [(0, 0, "ok")]
    assert [trial.id for trial in tuner.ask(3)] == [1, 2]
