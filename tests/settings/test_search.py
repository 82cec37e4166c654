from __future__ import annotations

import pytest

from metaopt.settings.field import check
from metaopt.settings.run import BaselineSettings, TuneSettings
from metaopt.settings.search import SearchTask, TableTask


def test_the_usual_task_is_in_range() -> None:
    assert list(check(SearchTask())) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"batch_norm": "runing"},
            "batch_norm must be recalibrated, running or published, got 'runing'; did you mean 'running'?",
        ),
        ({"unknown": "guess"}, "unknown must be surrogate, restrict or refuse, got 'guess'"),
        ({"cell_space": 4}, "cell_space must be 1, 2 or 3, got 4"),
        ({"channels": 0}, "channels must be in [1, 4096], got 0"),
        ({"subset": 3}, "subset must be at least 4, got 3"),
    ],
)
def test_every_value_out_of_range_is_named(changes: dict[str, object], message: str) -> None:
    (problem,) = check(SearchTask(**changes))  # type: ignore[arg-type]
    assert message in str(problem)


def test_a_task_is_plain_values_without_those_of_a_larger_one() -> None:
    config = TuneSettings(optimizer="darts", subset=100, budget=5)
    assert SearchTask(**config.task) == SearchTask(subset=100)
    assert TableTask(**BaselineSettings(cell_space=2, budget=5).task) == TableTask(cell_space=2)
