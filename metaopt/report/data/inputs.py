"""The hyperparameters of trials as inputs in [0, 1], and which of them matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.data.thinning import evenly
from metaopt.report.stats.importance import Importance, importance
from metaopt.runs.header import Hyperparameter

#: Name of the input that is not a hyperparameter.
EPOCHS = "epochs"
_MOST_TRIALS = 2000  # forests of more take minutes, and tell nothing else


def run_importance(*runs: RunData) -> Importance:
    """Returns the importance of every hyperparameter that varies, from all trials with a validation error.

    Args:
        runs: At least one, all of one space; what differs between them is noise to the forests. Interactions are
            computed for several runs only, as the trials of one are too few.
    """
    inputs = [h for h in runs[0].space if len(h.choices) != 1]
    trials = evenly([e for run in runs for e in run.ok], _MOST_TRIALS)
    several_epochs = len({e.trial.epochs for e in trials}) > 1
    names = [*(h.name for h in inputs), *((EPOCHS,) if several_epochs else ())]
    target = np.array([e.valid_error for e in trials])
    return importance(
        _features(trials, inputs, several_epochs), target, names if inputs else (), with_pairs=len(runs) > 1
    )


def _features(trials: Sequence[Evaluation], inputs: Sequence[Hyperparameter], with_epochs: bool) -> Floats:
    columns = [[_position(h, e) for e in trials] for h in inputs]
    if with_epochs:
        epochs = [e.trial.epochs for e in trials]
        scale = Hyperparameter(EPOCHS, min(epochs), max(epochs), log=True)
        columns.append([scale.position(value) for value in epochs])
    return np.array(columns).T


def _position(hyperparameter: Hyperparameter, evaluation: Evaluation) -> float:
    value = evaluation.trial.config.get(hyperparameter.name, hyperparameter.default)
    return 0.5 if value is None else hyperparameter.position(value)
