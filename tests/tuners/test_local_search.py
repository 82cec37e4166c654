from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Integer

import lookups
from metaopt.core.trial import Result, Trial
from metaopt.testing.tuner_contract import mixed_space, play, trials_of
from metaopt.tuners.base import Problem
from metaopt.tuners.local_search import LocalSearch
from metaopt.tuners.shared.neighbors import identity, neighbors


def search(space: ConfigurationSpace, **options: Any) -> LocalSearch:
    return LocalSearch(Problem(space, options.pop("seed", 1), 3, 27), **options)


def run(tuner: LocalSearch, loss: Callable[[Trial], float], n: int) -> list[Trial]:
    trials = []
    for _ in range(n):
        trials += tuner.ask()
        tuner.tell(Result(trials[-1].id, "ok", valid_error=loss(trials[-1])))
    return trials


def ones(trial: Trial) -> float:
    """One optimum, and every step toward it is better: 0 where all are b."""
    return sum(value == "a" for value in trial.config.values()) / 10


def letters(n: int = 10) -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add([Categorical(f"x{i}", ["a", "b"]) for i in range(n)])
    return space


def test_moves_to_the_first_better_neighbor() -> None:
    """With one start, each trial is a neighbor of the best so far, and nothing else is tried first."""
    tuner = search(letters(), n_starts=1)
    trials = run(tuner, ones, 30)
    best = trials[0]
    for trial in trials[1:]:
        if trial.memo["draw"]:
            break
        assert trial.config in neighbors(tuner.space, best.config)
        best = min(best, trial, key=ones)
    assert ones(best) == 0


def test_starts_at_the_best_draw_and_restarts_at_a_local_optimum() -> None:
    """From n ones on, all n neighbors of the optimum are worse: the next climb begins with draws."""
    trials = run(search(letters(), n_starts=4), ones, 120)
    assert [trial.memo["draw"] for trial in trials[:5]] == [True] * 4 + [False]
    start = min(trials[:4], key=ones)
    assert trials[4].config in neighbors(letters(), start.config)
    second = [trial for trial in trials if trial.memo["climb"] == 1]
    assert [trial.memo["draw"] for trial in second[:5]] == [True] * 4 + [False]
    before = trials[: second[0].id]
    optimum = min(before, key=ones)
    tried = {identity(letters(), trial.config) for trial in before}
    assert {identity(letters(), c) for c in neighbors(letters(), optimum.config)} <= tried


def test_never_proposes_a_configuration_twice() -> None:
    for space in (mixed_space(), lookups.SPACE):
        found = [identity(space, t.config) for t in trials_of(play(search(space, n_starts=2), n=300, in_flight=8))]
        assert len(set(found)) == 300


def test_ends_when_the_space_is_used_up() -> None:
    space = ConfigurationSpace()
    space.add(Categorical("op", ["a", "b", "c"]), Integer("k", (1, 4)))
    assert len(trials_of(play(search(space), n=50))) == 12
    assert search(space).ask(50) != []


def test_nothing_waits_and_a_late_result_is_not_lost() -> None:
    """The neighbors of the start are all in flight; what else is asked for are draws of the next climb."""
    tuner = search(letters(4), n_starts=1)
    (start,) = tuner.ask()
    tuner.tell(Result(start.id, "ok", valid_error=0.5))
    near, ahead = tuner.ask(4), tuner.ask(2)
    assert {(t.memo["climb"], t.memo["draw"]) for t in near} == {(0, False)}
    assert {(t.memo["climb"], t.memo["draw"]) for t in ahead} == {(1, True)}
    for trial in near[:3]:
        tuner.tell(Result(trial.id, "ok", valid_error=0.6))
    tuner.tell(Result(ahead[0].id, "ok", valid_error=0.1))
    assert tuner.ask()[0].memo == {"climb": 1, "draw": True}
    tuner.tell(Result(near[3].id, "ok", valid_error=0.4))
    trial = tuner.ask()[0]
    assert trial.memo == {"climb": 0, "draw": False}
    assert trial.config in neighbors(tuner.space, near[3].config)


def test_neighbors_by_swaps_only() -> None:
    tuner = search(lookups.SPACE, n_starts=1, swap=True)
    (start,) = tuner.ask()
    tuner.tell(Result(start.id, "ok", valid_error=0.1))
    found = [trial.config for trial in tuner.ask(40) if not trial.memo["draw"]]
    near = neighbors(lookups.SPACE, start.config, swap=True)
    assert sorted(map(repr, map(sorted, (c.items() for c in found)))) == sorted(
        map(repr, map(sorted, (c.items() for c in near)))
    )


@pytest.mark.slow
def test_beats_random_in_median() -> None:
    """Equal evaluations of a real table, fixed seeds: deterministic."""
    assert lookups.median_regret("local_search") < lookups.median_regret("random")
