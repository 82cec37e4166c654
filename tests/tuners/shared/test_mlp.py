from __future__ import annotations

from typing import Any

import numpy as np

from metaopt.core.seeds import stream
from metaopt.tuners.shared.mlp import ensemble_predictions

SETTINGS: dict[str, Any] = {"members": 4, "hidden": (20, 20), "rate": 0.01, "batch": 32, "updates": 300}


def test_predicts_what_it_has_not_seen() -> None:
    """A kink that no line fits; the constant that errs least errs by 0.25."""
    rng = stream(1)
    x, new = rng.random((200, 3)), rng.random((100, 3))
    predicted = ensemble_predictions(x, 2 * abs(x[:, 0] - 0.5), new, rng=rng, **SETTINGS)
    assert predicted.shape == (4, 100)
    assert abs(predicted.mean(axis=0) - 2 * abs(new[:, 0] - 0.5)).mean() < 0.1


def test_minimises_the_mean_absolute_error() -> None:
    """Of equal inputs it predicts the median, 0, and not the mean, 0.2."""
    x, y = np.ones((50, 1)), np.array([0.0] * 40 + [1.0] * 10)
    predicted = ensemble_predictions(x, y, x[:1], rng=stream(2), **{**SETTINGS, "updates": 600})
    assert abs(predicted).max() < 0.1


def test_members_differ_where_there_are_no_data() -> None:
    rng = stream(3)
    x = rng.random((100, 2)) * 0.5
    near, far = np.full((1, 2), 0.25), np.full((1, 2), 3.0)
    predicted = ensemble_predictions(x, x.sum(axis=1), np.vstack([near, far]), rng=rng, **SETTINGS)
    assert predicted.std(axis=0)[1] > 3 * predicted.std(axis=0)[0] > 0


def test_few_rows_will_do() -> None:
    predicted = ensemble_predictions(np.eye(2), np.array([-0.5, 0.5]), np.eye(2), rng=stream(4), **SETTINGS)
    assert abs(predicted - [-0.5, 0.5]).max() < 0.1
