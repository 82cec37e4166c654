from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Integer

import lookups
from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial
from metaopt.testing.tuner_contract import mixed_space, play, trials_of
from metaopt.tuners.bananas import Bananas
from metaopt.tuners.base import Problem
from metaopt.tuners.shared.neighbors import identity, neighbors


def bananas(space: ConfigurationSpace, **options: Any) -> Bananas:
    return Bananas(Problem(space, options.pop("seed", 1), 3, 27), **options)


def tell(tuner: Bananas, trials: list[Trial]) -> None:
    """The more of the operations are convolutions of 3x3 the better."""
    for trial in trials:
        worse = sum(value != "conv3x3" for name, value in trial.config.items() if name.startswith("op_"))
        tuner.tell(Result(trial.id, "ok", valid_error=0.1 + worse / 10))


def test_draws_first_and_then_what_the_model_says() -> None:
    tuner = bananas(lookups.SPACE, n_initial=6, batch=4)
    for _ in range(14):
        tell(tuner, tuner.ask())
    assert [trial.memo["model_based"] for trial in tuner.ask(2)] == [True] * 2
    fresh = bananas(lookups.SPACE, n_initial=6, batch=4)
    assert [trial.memo["model_based"] for trial in fresh.ask(12)] == [False] * 12


def test_candidates_are_mutants_of_the_best() -> None:
    """The best has 24 neighbors, so of 20 candidates all can be its own."""
    tuner = bananas(lookups.SPACE, batch=5, candidates=8)
    first = tuner.ask(10)
    for trial in first:
        tuner.tell(Result(trial.id, "ok", valid_error=0.1 if trial.id == 7 else 0.5))
    near = neighbors(tuner.space, first[7].config)
    assert all(trial.config in near for trial in tuner.ask(5))


def test_the_model_chooses_well_among_the_candidates() -> None:
    """Of mutants of the best, with all operations as they are best, the chosen ones keep most of them so."""
    tuner = bananas(lookups.SPACE, n_initial=60)
    tell(tuner, tuner.ask(60))

    def mean(trials: list[Trial]) -> float:
        operations = [trial.config[f"op_{j}"] for trial in trials for j in (1, 2, 3, 4)]
        return operations.count("conv3x3") / len(operations)

    assert mean(tuner.ask(10)) > 0.9 > 0.5 > mean(bananas(lookups.SPACE, n_initial=60).ask(60)[1:])


def test_a_fit_takes_what_is_told_by_then_and_lasts_a_batch() -> None:
    """Results that come in between change nothing before the next fit."""
    early, late = (bananas(lookups.SPACE, n_initial=6, batch=4) for _ in range(2))
    for tuner in (early, late):
        tell(tuner, tuner.ask(6))
    expected = early.ask(4)
    begun = late.ask(1)
    tell(late, begun)
    assert begun + late.ask(3) == expected
    assert early.ask(4) != late.ask(4)


def test_replay_needs_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    original = bananas(mixed_space(), n_initial=4, batch=4)
    events = play(original, n=22)
    copy = bananas(mixed_space(), n_initial=4, batch=4)
    with monkeypatch.context() as patch:
        patch.setattr("metaopt.tuners.bananas.ensemble_predictions", None)
        copy.replay(events)
    assert copy.ask(9) == original.ask(9)


def test_replay_takes_the_logged_configuration() -> None:
    logged = bananas(lookups.SPACE).ask(3)
    other = neighbors(lookups.SPACE, logged[1].config)[0]
    logged[1] = dataclasses.replace(logged[1], config=other)
    tuner = bananas(lookups.SPACE)
    tuner.replay(logged)
    assert other not in [trial.config for trial in tuner.ask(50)]


def test_never_proposes_a_configuration_twice() -> None:
    for space in (mixed_space(), lookups.SPACE):
        events = play(bananas(space, members=2, candidates=20), n=120, in_flight=8)
        assert len({identity(space, trial.config) for trial in trials_of(events)}) == 120


def test_ends_when_the_space_is_used_up() -> None:
    space = ConfigurationSpace()
    space.add(Categorical("op", ["a", "b", "c"]), Integer("k", (1, 4)))
    assert len(trials_of(play(bananas(space, n_initial=3, batch=5), n=50))) == 12


def test_a_batch_is_chosen_from_as_many_candidates_at_least() -> None:
    with pytest.raises(ConfigError, match="candidates must be at least batch, got 9 and 10"):
        bananas(lookups.SPACE, candidates=9)


@pytest.mark.slow
def test_beats_random_in_median() -> None:
    """Equal evaluations of a real table, fixed seeds: deterministic."""
    assert lookups.median_regret("bananas", seeds=10, evaluations=100) < lookups.median_regret(
        "random", seeds=10, evaluations=100
    )
