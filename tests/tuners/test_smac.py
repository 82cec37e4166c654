from __future__ import annotations

import statistics

import pytest
from scipy.stats import binomtest

import lookups
from metaopt.core.trial import Result, Trial
from metaopt.tuners.shared.smac_adapter import ForestModel
from tuning import bowl, new, run, trials


def test_default_then_even_points_then_the_forest() -> None:
    """darts_cs2 has 3 hyperparameters: 6 configurations to begin with; one in five of the others is drawn."""
    asked = trials(run(new("smac", challengers=100), 40))
    assert not any(trial.memo["model_based"] for trial in asked[:6])
    assert 20 <= sum(trial.memo["model_based"] for trial in asked[6:]) <= 33
    assert len({tuple(trial.config.values()) for trial in asked}) == 40
    assert {trial.epochs for trial in asked} == {27}


def test_first_points_are_spread_evenly() -> None:
    """A Sobol sequence of 8 points has 4 in each half of every axis; they come after the default."""
    asked = new("smac", n_initial=9).ask(9)[1:]
    assert sum(float(trial.config["cutout_prob"]) < 0.5 for trial in asked) == 4
    assert sum(float(trial.config["learning_rate"]) < 10**-1.5 for trial in asked) == 4


def test_trains_once_per_retrain_after(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[int] = []
    plan = ForestModel._plan
    monkeypatch.setattr(ForestModel, "_plan", lambda model, ask: plans.append(ask) or plan(model, ask))
    asked = trials(run(new("smac", challengers=50, n_initial=5, retrain_after=4), 17))
    assert plans == [5, 9, 13]
    assert [len(trial.memo["ahead"]) for trial in asked] == [0] * 5 + [3, 2, 1, 0] * 3
    assert asked[5].memo["ahead"][0]["config"] == asked[6].config


def test_forest_looks_near_the_good_ones() -> None:
    asked = trials(run(new("smac", challengers=500), 60))
    from_forest = [bowl(trial) for trial in asked[20:] if trial.memo["model_based"]]
    assert statistics.median(from_forest) < statistics.median(map(bowl, asked[:6])) - 0.1


def test_keeps_away_from_where_trials_crash() -> None:
    """Everything above a learning rate of 0.03, half of the prior, crashes; the rest is all alike."""
    late: list[Trial] = []
    for seed in (1, 2):
        tuner = new("smac", challengers=200, seed=seed)
        asked: list[Trial] = []
        for _ in range(60):
            asked += tuner.ask()
            crashes = float(asked[-1].config["learning_rate"]) > 0.03
            tuner.tell(Result(asked[-1].id, "crashed") if crashes else Result(asked[-1].id, "ok", 0.3))
        late += [trial for trial in asked[20:] if trial.memo["model_based"]]
    assert len(late) >= 40
    crashing = sum(float(trial.config["learning_rate"]) > 0.03 for trial in late)
    assert binomtest(crashing, len(late), 0.5, alternative="less").pvalue < 0.01


def test_replay_of_100_trials_trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new("smac", challengers=50)
    events = run(first, 100)
    tuner = new("smac", challengers=50)
    with monkeypatch.context() as patched:
        patched.setattr(ForestModel, "propose", None)
        tuner.replay(events)
    assert tuner.ask(10) == first.ask(10)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_beats_random_on_cells_of_digits() -> None:
    smac = lookups.median_regret("smac", seeds=10, evaluations=60, challengers=200)
    assert smac < lookups.median_regret("random", seeds=10, evaluations=60)
