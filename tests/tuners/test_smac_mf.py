from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import replace

import pytest

from metaopt.core.trial import Result
from metaopt.tuners.shared.smac_adapter import ForestModel
from tuning import bowl, new, new_trials, run, trials


def test_same_brackets_as_hyperband() -> None:
    tuners = [new("smac_mf", eta=3, challengers=20), new("hyperband", eta=3)]
    for _ in range(40):
        ours, theirs = (tuner.ask()[0] for tuner in tuners)
        assert (ours.key, ours.epochs, ours.memo["bracket"]) == (theirs.key, theirs.epochs, theirs.memo["bracket"])
        for tuner in tuners:
            tuner.tell(Result(ours.id, "ok", valid_error=ours.seed / 2**32))


def test_forest_is_of_the_largest_budget_that_has_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """darts_cs2 has 3 hyperparameters, so a forest wants 4 results on one budget."""
    budgets = []
    plan = ForestModel._plan

    def noting(model: ForestModel, ask: int) -> list[dict[str, object]]:
        planned = plan(model, ask)
        selector = model._selector(ask)
        selector._collect_data()
        finished = Counter(key.budget for key, value in model._history.items() if value.cost <= 1)
        budgets.append((selector._considered_budgets[0], {e for e, n in finished.items() if n >= 4}))
        return planned

    monkeypatch.setattr(ForestModel, "_plan", noting)
    asked = trials(run(new("smac_mf", eta=3, challengers=20), 60))
    assert not any(trial.memo["model_based"] for trial in asked[:4])
    assert all(budget == max(enough) for budget, enough in budgets)
    assert {budget for budget, _ in budgets} >= {3.0, 27.0}


def test_forest_looks_near_the_good_ones() -> None:
    fresh = [
        (replace(trial, epochs=27), trial.memo["model_based"])
        for trial in new_trials(run(new("smac_mf", challengers=200), 100))
    ]
    from_model = [bowl(trial) for trial, model_based in fresh if model_based]
    from_prior = [bowl(trial) for trial, model_based in fresh if not model_based]
    assert statistics.median(from_model) < statistics.median(from_prior) - 0.05


def test_replay_of_100_trials_trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new("smac_mf", challengers=50)
    events = run(first, 100)
    tuner = new("smac_mf", challengers=50)
    with monkeypatch.context() as patched:
        patched.setattr(ForestModel, "propose", None)
        tuner.replay(events)
    assert tuner.ask(10) == first.ask(10)
