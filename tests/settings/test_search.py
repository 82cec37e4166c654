from __future__ import annotations

import pytest

from metaopt.settings.run import BaselineSettings, TuneSettings
from metaopt.settings.search import SearchTask, TableTask


def test_the_usual_task_is_in_range() -> None:
    assert list(SearchTask().out_of_range()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_norm": "runing"}, "unknown batch_norm 'runing'; did you mean 'running'"),
        ({"unknown": "guess"}, "unknown treatment of unknown cells: 'guess'"),
        ({"cell_space": 4}, "--space is 4; allowed: 1, 2, 3"),
        ({"channels": 0}, "channels is 0; allowed: 1 or more"),
        ({"subset": 3}, "subset is 3; allowed: 4 or more"),
    ],
)
def test_every_value_out_of_range_is_named(changes: dict[str, object], message: str) -> None:
    (problem,) = SearchTask(**changes).out_of_range()  # type: ignore[arg-type]
    assert message in str(problem)


def test_a_task_is_plain_values_without_those_of_a_larger_one() -> None:
    config = TuneSettings(optimizer="darts", subset=100, budget=5)
    assert SearchTask(**config.task) == SearchTask(subset=100)
    assert TableTask(**BaselineSettings(cell_space=2, budget=5).task) == TableTask(cell_space=2)
