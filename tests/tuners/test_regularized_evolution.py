from __future__ import annotations

from typing import Any

import pytest

import lookups
from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial
from metaopt.spaces.space import load_space
from metaopt.testing.tuner_contract import play, trials_of
from metaopt.tuners.base import Problem
from metaopt.tuners.regularized_evolution import RegularizedEvolution
from metaopt.tuners.shared.neighbors import neighbors


def evolution(**options: Any) -> RegularizedEvolution:
    return RegularizedEvolution(Problem(lookups.SPACE, options.pop("seed", 1), 3, 27), **options)


def run(tuner: RegularizedEvolution, losses: list[float]) -> list[Trial]:
    trials = []
    for loss in losses:
        trials += tuner.ask()
        tuner.tell(Result(trials[-1].id, "ok", valid_error=loss))
    return trials


def test_the_population_ages_and_never_exceeds() -> None:
    """The best of all is the first to die."""
    tuner = evolution(population=5, tournament=5)
    trials = run(tuner, [0.0, *[0.5] * 4])
    assert [member.trial for member in tuner.population] == [0, 1, 2, 3, 4]
    trials += run(tuner, [0.6] * 3)
    assert [member.trial for member in tuner.population] == [3, 4, 5, 6, 7]
    assert {trial.epochs for trial in trials} == {27}


def test_the_parent_is_the_best_of_the_sample() -> None:
    """A sample of 200 with replacement misses one of 5 members once in 1e19, one of 2 of them in most asks."""
    losses = [0.5, 0.3, 0.1, 0.4, 0.2]
    tuner = evolution(population=5, tournament=200)
    run(tuner, losses)
    assert [trial.memo["parent"] for trial in tuner.ask(10)] == [2] * 10
    small = evolution(population=5, tournament=2)
    run(small, losses)
    parents = [trial.memo["parent"] for trial in small.ask(300)]
    # The k-th best of 5 is the best of 2 draws with probability (2 (5 - k) + 1) / 25.
    for rank, member in enumerate([2, 4, 1, 3, 0]):
        assert parents.count(member) / 300 == pytest.approx((2 * (4 - rank) + 1) / 25, abs=0.08)


def test_a_child_is_one_mutation_from_its_parent() -> None:
    tuner = evolution(population=6, tournament=3)
    trials = run(tuner, [0.5 - i / 100 for i in range(30)])
    assert [trial.memo["parent"] for trial in trials[:6]] == [None] * 6
    for child in trials[6:]:
        assert child.config in neighbors(tuner.space, trials[child.memo["parent"]].config)


def test_the_published_mutation_may_keep_the_configuration_and_its_key() -> None:
    tuner = evolution(population=3, tournament=3, mutation="published")
    trials = run(tuner, [0.5 - i / 100 for i in range(40)])
    kept = [trial for trial in trials[3:] if trial.config == trials[trial.memo["parent"]].config]
    assert 5 <= len(kept) <= 20
    assert all(trial.key == trials[trial.memo["parent"]].key for trial in kept)


def test_initial_draws_are_as_many_as_asked_for_and_nothing_waits() -> None:
    """Draws go on while there is no result; then a population that is not full has parents, too."""
    tuner = evolution(population=50, n_initial=4)
    trials = tuner.ask(8)
    assert [trial.memo["parent"] for trial in trials] == [None] * 8
    tuner.tell(Result(5, "crashed", reason="on purpose"))
    assert tuner.ask()[0].memo == {"parent": 5}
    tuner.tell(Result(3, "ok", valid_error=0.2))
    assert 3 in {trial.memo["parent"] for trial in tuner.ask(8)}


def test_any_space_will_do() -> None:
    tuner = RegularizedEvolution(Problem(load_space("darts"), 1, 3, 27), population=5)
    assert len(trials_of(play(tuner, n=40))) == 40


def test_mutations_are_checked() -> None:
    with pytest.raises(ConfigError, match="swaps the parents of a cell's nodes, and the space darts has none"):
        RegularizedEvolution(Problem(load_space("darts"), 1, 3, 27), mutation="published")


@pytest.mark.slow
def test_beats_random_in_median() -> None:
    """Equal evaluations of a real table, fixed seeds: deterministic."""
    random = lookups.median_regret("random")
    assert lookups.median_regret("re") < random
    assert lookups.median_regret("re", population=30) < random
