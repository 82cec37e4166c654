"""Runs as studies of Optuna, in an SQLite file that its dashboard opens."""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.pool import StaticPool

from metaopt.core.errors import ConfigError, JournalError
from metaopt.core.trial import Value
from metaopt.core.wording import shown
from metaopt.report.data.load import Evaluation, RunData, load_runs
from metaopt.spaces.optuna import distribution
from metaopt.spaces.space import space_from_json

#: Attributes of a trial beside its configuration and its validation error.
_ATTRIBUTES = ("test_error", "one_shot_error")
_INFO = ("cell", "cell_hash", "predicted")


def write_optuna(folders: Sequence[Path], file: Path) -> None:
    """Writes an SQLite database of Optuna with a study per run; a run's confirmation is left out.

    A trial's value is its validation error, reported as its intermediate value after its epochs. What a trial
    continues, its seed, and what was found stand in its attributes. A failed trial is failed with its reason, one
    without an answer is running. Times are stored in UTC; Optuna shows them in the reader's zone, so the attributes
    ``asked_at`` and ``told_at`` have them with theirs.
    """
    # In memory: Optuna takes a file by its URL only, in which some letters of a path mean something else.
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as database, _without_talk():
        storage = optuna.storages.RDBStorage(
            "sqlite://", engine_kwargs={"creator": lambda: database, "poolclass": StaticPool}
        )
        for run in load_runs(folders):
            _add(run, storage)
        storage.remove_session()
        file.write_bytes(database.serialize())


@contextmanager
def _without_talk() -> Iterator[None]:
    """Keeps Optuna from naming every study on standard error."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _add(run: RunData, storage: optuna.storages.BaseStorage) -> None:
    study = optuna.create_study(storage=storage, study_name=run.name, direction="minimize")
    for name, value in run.settings.items():
        study.set_user_attr(name, value)
    distributions = _distributions(run)
    started = _utc(run.header.get("started") or datetime.fromtimestamp(0, UTC).isoformat())
    study.add_trials([_trial(evaluation, distributions, started) for evaluation in run.evaluations])


def _distributions(run: RunData) -> dict[str, BaseDistribution]:
    """Returns the space of a run as Optuna states it.

    Raises:
        JournalError: if its journal states none, or one that ConfigSpace or Optuna refuse.
    """
    space = run.header.get("space")
    if not space:
        raise JournalError(f"the journal of {run.name} states no space, which Optuna needs", "leave this run out")
    try:
        return {name: distribution(one) for name, one in space_from_json(space).items()}
    except ConfigError as error:
        raise JournalError(f"the journal of {run.name}: {error.message}", error.hint) from None
    except ValueError as error:
        raise JournalError(f"the journal of {run.name}: Optuna refuses its space: {error}", "leave it out") from None


def _within(distribution: BaseDistribution, value: Value) -> Value:
    """Returns a value that was rounded beyond its range as that range ends; Optuna would refuse it."""
    if isinstance(distribution, FloatDistribution) and not isinstance(value, str):
        return min(max(value, distribution.low), distribution.high)
    return value


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _trial(evaluation: Evaluation, distributions: Mapping[str, BaseDistribution], started: datetime) -> FrozenTrial:
    trial, result = evaluation.trial, evaluation.result
    if foreign := sorted(trial.config.keys() - distributions.keys()):
        raise JournalError(
            f"trial {trial.id} has the hyperparameter {shown(foreign[0])}, which its space lacks", "leave this run out"
        )
    asked, told = (
        None if math.isnan(s) else started + timedelta(seconds=s) for s in (evaluation.asked_s, evaluation.told_s)
    )
    state = TrialState.COMPLETE if evaluation.ok else TrialState.FAIL if result else TrialState.RUNNING
    found = create_trial(
        state=state,
        value=evaluation.valid_error if evaluation.ok else None,
        params={name: _within(distributions[name], value) for name, value in trial.config.items()},
        distributions={name: distributions[name] for name in trial.config},
        user_attrs=_attributes(evaluation)
        | {name: time.isoformat() for name, time in (("asked_at", asked), ("told_at", told)) if time},
        intermediate_values={trial.epochs: evaluation.valid_error} if evaluation.ok else {},
    )
    found.datetime_start, found.datetime_complete = asked, told
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
