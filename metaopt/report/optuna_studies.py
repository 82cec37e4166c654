"""Runs as studies of Optuna, in an SQLite file that its dashboard opens."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from metaopt.distributions import distribution
from metaopt.report.load import Evaluation, RunData
from metaopt.spaces import space_from_json

#: Attributes of a trial beside its configuration and its validation error.
_ATTRIBUTES = ("test_error", "one_shot_error")
_INFO = ("cell", "cell_hash", "predicted")


def optuna_of(runs: Sequence[RunData]) -> bytes:
    """Returns an SQLite database of Optuna with a study per run; a run's confirmation is left out.

    A trial's value is its validation error, reported as its intermediate value after its epochs. What a trial
    continues, its seed, and what was found stand in its attributes. A failed trial is failed with its reason, one
    without an answer is running.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "studies.db"
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(logging.WARNING)  # it would name every study on standard error
        try:
            storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
            for run in runs:
                _add(run, storage)
            storage.engine.dispose()
        finally:
            optuna.logging.set_verbosity(before)
        return file.read_bytes()


def _add(run: RunData, storage: optuna.storages.BaseStorage) -> None:
    study = optuna.create_study(storage=storage, study_name=run.name, direction="minimize")
    for name, value in run.settings.items():
        study.set_user_attr(name, value)
    space = space_from_json(run.header["space"])
    distributions = {name: distribution(hyperparameter) for name, hyperparameter in space.items()}
    started = datetime.fromisoformat(run.header.get("started") or datetime.fromtimestamp(0, UTC).isoformat())
    study.add_trials([_trial(evaluation, distributions, started) for evaluation in run.evaluations])


def _trial(evaluation: Evaluation, distributions: Mapping[str, BaseDistribution], started: datetime) -> FrozenTrial:
    trial, result = evaluation.trial, evaluation.result
    state = TrialState.COMPLETE if evaluation.ok else TrialState.FAIL if result else TrialState.RUNNING
    found = create_trial(
        state=state,
        value=evaluation.valid_error if evaluation.ok else None,
        params=dict(trial.config),
        distributions={name: distributions[name] for name in trial.config},
        user_attrs=_attributes(evaluation),
        intermediate_values={trial.epochs: evaluation.valid_error} if evaluation.ok else {},
    )
    # Optuna's times have no zone: they are local.
    local = started.astimezone().replace(tzinfo=None)
    found.datetime_start = local + timedelta(seconds=evaluation.asked_s)
    found.datetime_complete = local + timedelta(seconds=evaluation.told_s) if result else None
    return found


def _attributes(evaluation: Evaluation) -> dict[str, Any]:
    trial, result = evaluation.trial, evaluation.result
    attributes: dict[str, Any] = {"trial": trial.id, "key": trial.key, "epochs": trial.epochs, "seed": trial.seed}
    measured = {name: getattr(evaluation, name) for name in _ATTRIBUTES}
    attributes |= {name: value for name, value in measured.items() if not math.isnan(value)}
    attributes |= {name: evaluation.info[name] for name in _INFO if name in evaluation.info}
    if result:
        attributes |= {"status": result.status, "cost_s": result.cost_s}
        attributes |= {"reason": result.reason} if result.reason else {}
    return attributes
