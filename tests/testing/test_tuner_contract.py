"""The contract must catch tuners that break it, each in the way its class says."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace

from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import plain
from metaopt.testing.tuner_contract import BracketContract, TunerContract, mixed_space, play, trials_of
from metaopt.tuners.base import Problem, Proposal
from metaopt.tuners.hyperband import Hyperband
from metaopt.tuners.random import Random


class GlobalGenerator(Random):
    def _draw(self, ask: int) -> dict[str, Any]:
        self.space.seed(int(np.random.randint(1 << 30)))  # noqa: NPY002
        return plain(self.space.sample_configuration())


class LivingGenerator(Random):
    def _draw(self, ask: int) -> dict[str, Any]:
        if ask == 1:
            self.space.seed(self.seed)
        return plain(self.space.sample_configuration())


class CallersSpace(Random):
    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self.space = problem.space


class NumpyValues(Random):
    def _draw(self, ask: int) -> dict[str, Any]:
        return {name: np.array([value])[0] for name, value in super()._draw(ask).items()}


class HashSeed(Random):
    def _draw(self, ask: int) -> dict[str, Any]:
        return super()._draw(hash("a") % 1000 + ask)


class NoDefault(Random):
    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        return super()._propose(ask + 1, logged)


class FailsOnCrash(Random):
    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        if result.status != "ok":
            raise ValueError(result.status)


class TooManyEpochs(Random):
    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        return Proposal(key=ask, config=super()._propose(ask, logged).config, epochs=self.max_epochs + 1)


class OneKey(Random):
    def _propose(self, ask: int, logged: Trial | None) -> Proposal:
        return Proposal(key=0, config=super()._propose(ask, logged).config, epochs=self.max_epochs)


class PromotesTheWorst(Hyperband):
    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        turned = None if result.valid_error is None else 1 - result.valid_error
        super()._observe(tell, trial, Result(result.trial_id, result.status, turned))


class PromotesCrashes(Hyperband):
    def _observe(self, tell: int, trial: Trial, result: Result) -> None:
        super()._observe(tell, trial, Result(result.trial_id, "ok", random.Random(trial.id).random()))


class OldConstructor(Random):
    def __init__(self, space: ConfigurationSpace, *, seed: int, min_epochs: int, max_epochs: int) -> None:
        super().__init__(Problem(space, seed, min_epochs, max_epochs))


def test_the_constructor_of_earlier_versions_is_told_what_to_take() -> None:
    class Suite(TunerContract):
        name = f"{__name__}:OldConstructor"

    with pytest.raises(TypeError, match=r"that of metaopt 0\.1: take problem: Problem and \*\*options"):
        Suite().tuner()


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (GlobalGenerator, TunerContract.test_same_seed_same_asks),
        (GlobalGenerator, TunerContract.test_callers_global_generator_has_no_influence),
        (GlobalGenerator, TunerContract.test_callers_global_generator_and_space_are_left_alone),
        (LivingGenerator, TunerContract.test_goes_on_after_replay_as_if_uninterrupted),
        (CallersSpace, TunerContract.test_callers_global_generator_and_space_are_left_alone),
        (NumpyValues, TunerContract.test_trials_are_plain_json),
        (HashSeed, TunerContract.test_same_asks_in_another_process_with_another_hash_seed),
        (NoDefault, TunerContract.test_first_configuration_is_the_default),
        (FailsOnCrash, TunerContract.test_survives_crashes_of_all_trials),
        (TooManyEpochs, TunerContract.test_epochs_are_within_the_budgets),
        (OneKey, TunerContract.test_one_key_is_one_configuration),
        (PromotesTheWorst, BracketContract.test_the_best_of_a_rung_are_promoted),
        (PromotesCrashes, BracketContract.test_only_told_trials_are_promoted),
        (Random, BracketContract.test_budgets_are_on_rungs),
    ],
)
def test_a_broken_tuner_is_caught(broken: type[Random], test: Callable[..., None]) -> None:
    class Suite(BracketContract):
        name = f"{__name__}:{broken.__name__}"

    events = play(Suite().tuner(), n=Suite.n_asks, crash_rate=0.0 if broken is FailsOnCrash else 0.2)
    with pytest.raises((AssertionError, ValueError, TypeError)) as caught:
        test(*[Suite(), events][: test.__code__.co_argcount])
    assert "ModuleNotFoundError" not in str(caught.value), "the other process never ran the tuner"


def test_play_keeps_trials_in_flight_and_tells_out_of_order() -> None:
    events = play(Random(Problem(mixed_space(), 1, 1, 9)), n=30, in_flight=3)
    told = [event.trial_id for event in events if isinstance(event, Result)]
    assert len(trials_of(events)) == 30
    assert 27 <= len(told) < 30
    assert told != sorted(told)
