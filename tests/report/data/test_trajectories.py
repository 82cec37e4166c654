from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from metaopt.core.trial import Result, Trial
from metaopt.report.data.groups import Repeats
from metaopt.report.data.load import Evaluation
from metaopt.report.data.trajectories import curve, quantity_name, trajectories


def repeats(*searches: dict[str, list[Any]], optimum: float | None = 0.1) -> Repeats:
    evaluations = tuple(
        Evaluation(Trial(i, 0, {}, 3, i), 0.0, Result(i, "ok", 0.2, 0.2, info={"trajectory": trajectory}))
        for i, trajectory in enumerate(searches)
    )
    return Repeats("darts", "", evaluations, 0, optimum)


def test_mean_and_standard_error_of_the_regret() -> None:
    found = curve(repeats({"test_error": [0.5, 0.3]}, {"test_error": [0.3, 0.3]}), "test_error")
    assert found is not None
    assert found.epochs.tolist() == [1, 2]
    assert found.mean == pytest.approx([0.3, 0.2])
    # The standard deviation of two values 0.2 apart is 0.2 / sqrt(2); of their mean, 0.1.
    assert found.standard_error == pytest.approx([0.1, 0.0])


def test_epochs_without_a_value_are_left_out() -> None:
    some = repeats({"eigenvalue": [None, 2.0, None]}, {"eigenvalue": [None, 4.0, 1.0]}, {})
    found = curve(some, "eigenvalue")
    assert found is not None
    assert found.epochs.tolist() == [2, 3]
    assert found.n.tolist() == [2, 1]
    assert found.mean == pytest.approx([3.0, 1.0])
    assert found.standard_error == pytest.approx([1.0, 0.0])
    assert np.isnan(trajectories(some, "eigenvalue")[2]).all()


def test_nothing_measured() -> None:
    assert curve(repeats({"eigenvalue": [None, math.nan]}, {}), "eigenvalue") is None
    assert curve(repeats(), "test_error") is None


def test_all_quantities_have_the_epochs_of_the_longest_search() -> None:
    some = repeats({"eigenvalue": [2.0], "test_error": [0.3]}, {"test_error": [0.3, 0.2, 0.2]})
    assert trajectories(some, "eigenvalue").shape == trajectories(some, "test_error").shape == (2, 3)


def test_what_is_not_a_regret_is_not_called_one() -> None:
    known, unknown = repeats(), repeats(optimum=None)
    assert quantity_name("test_error", [known, unknown]) == "test regret"
    assert quantity_name("test_error", [unknown]) == "test error"
    assert quantity_name("eigenvalue", [unknown]) == "dominant eigenvalue"


def test_an_unknown_optimum_leaves_the_error() -> None:
    assert trajectories(repeats({"test_error": [0.5]}, optimum=None), "test_error").tolist() == [[0.5]]
