from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from ConfigSpace import Categorical, ConfigurationSpace

import lookups
from metaopt.core.trial import Result, Trial
from metaopt.tuners.shared.optuna_adapter import ParzenModel
from tuning import bowl, new, run, trials


def test_model_starts_after_ten_results() -> None:
    asked = trials(run(new("tpe"), 30))
    assert [trial.memo["model_based"] for trial in asked] == [False] * 10 + [True] * 20
    assert {trial.epochs for trial in asked} == {27}


def test_startup_counts_results_not_asks() -> None:
    tuner = new("tpe", startup=4)
    first = tuner.ask(6)
    for trial in first[:3]:
        tuner.tell(Result(trial.id, "ok", 0.5))
    assert not tuner.ask()[0].memo["model_based"]
    tuner.tell(Result(first[3].id, "crashed"))
    assert tuner.ask()[0].memo["model_based"]


def test_model_looks_near_the_good_ones() -> None:
    asked = trials(run(new("tpe"), 60))
    assert statistics.median(map(bowl, asked[30:])) < statistics.median(map(bowl, asked[:10])) - 0.05


def test_keeps_away_from_where_trials_crash() -> None:
    """Everything above a learning rate of 0.03, half of the prior, crashes; the rest is all alike."""
    tuner = new("tpe")
    asked: list[Trial] = []
    for _ in range(60):
        asked += tuner.ask()
        crashes = float(asked[-1].config["learning_rate"]) > 0.03
        tuner.tell(Result(asked[-1].id, "crashed") if crashes else Result(asked[-1].id, "ok", 0.3))
    assert sum(float(trial.config["learning_rate"]) > 0.03 for trial in asked[30:]) <= 8


def test_asks_of_one_moment_differ() -> None:
    tuner = new("tpe")
    run(tuner, 20)
    rates = sorted(float(trial.config["learning_rate"]) for trial in tuner.ask(8))
    assert all(low < high for low, high in pairwise(rates))


def test_model_proposes_no_cell_twice() -> None:
    """Of 243 cells the sampler likes few, and would name them again and again."""
    space = ConfigurationSpace()
    space.add([Categorical(name, ["x", "y", "z"]) for name in "abcde"])
    tuner = new("tpe", space)
    asked = []
    for _ in range(60):
        asked += tuner.ask()
        values = [str(value) for value in asked[-1].config.values()]
        tuner.tell(Result(asked[-1].id, "ok", 0.1 + 0.1 * (values.count("y") + 2 * values.count("z"))))
    from_model = [tuple(trial.config.values()) for trial in asked if trial.memo["model_based"]]
    assert len(from_model) >= 10
    assert len(set(from_model)) == len(from_model)


def test_replay_of_150_trials_does_no_model_work(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new("tpe")
    events = run(first, 150)
    tuner = new("tpe")
    with monkeypatch.context() as patched:
        patched.setattr(ParzenModel, "propose", None)
        tuner.replay(events)
    assert tuner.ask(3) == first.ask(3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_beats_random_on_cells_of_digits() -> None:
    assert lookups.median_regret("tpe", seeds=10, evaluations=100) < lookups.median_regret(
        "random", seeds=10, evaluations=100
    )
