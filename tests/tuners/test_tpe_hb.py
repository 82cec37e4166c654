from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from metaopt.core.trial import Result
from metaopt.tuners.shared.optuna_adapter import ParzenModel
from tuning import bowl, new, new_trials, run, trials


def test_same_brackets_as_hyperband() -> None:
    tuners = [new("tpe_hb", eta=3), new("hyperband", eta=3)]
    for _ in range(60):
        ours, theirs = (tuner.ask()[0] for tuner in tuners)
        assert (ours.key, ours.epochs, ours.memo["bracket"]) == (theirs.key, theirs.epochs, theirs.memo["bracket"])
        for tuner in tuners:
            tuner.tell(Result(ours.id, "ok", valid_error=ours.seed / 2**32))


def test_model_starts_with_ten_results_on_one_budget_and_moves_up() -> None:
    tuner = new("tpe_hb", eta=3)
    events = run(tuner, 80)
    asked = trials(events)
    for trial in new_trials(events):
        earlier = [t.epochs for t in asked[: trial.id]]
        assert trial.memo["model_based"] == (max(map(earlier.count, {*earlier}), default=0) >= 10)
    assert tuner._model._results[27] >= 10


def test_model_looks_near_the_good_ones() -> None:
    fresh = [(replace(trial, epochs=27), trial.memo["model_based"]) for trial in new_trials(run(new("tpe_hb"), 120))]
    from_model = [bowl(trial) for trial, model_based in fresh if model_based]
    from_prior = [bowl(trial) for trial, model_based in fresh if not model_based]
    assert statistics.median(from_model) < statistics.median(from_prior) - 0.05


def test_replay_of_150_trials_does_no_model_work(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new("tpe_hb")
    events = run(first, 150)
    tuner = new("tpe_hb")
    with monkeypatch.context() as patched:
        patched.setattr(ParzenModel, "propose", None)
        tuner.replay(events)
    assert tuner.ask(3) == first.ask(3)
