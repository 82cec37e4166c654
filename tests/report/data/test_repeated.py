from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from metaopt.report.data.groups import Group
from metaopt.report.data.load import RunData
from metaopt.report.data.repeated import repeated

GroupOf = Callable[..., Group]


@pytest.fixture
def run(group_of: GroupOf) -> Callable[..., RunData]:
    """Makes a run; its n-th search has no hyperparameters, the seed n and 8 epochs."""

    def make(answers: list[float | None], **settings: object) -> RunData:
        return group_of("some", [answers], **{"optimizer": "darts", **settings}).runs[0]

    return make


def test_searches_of_several_runs_are_held_against_each_other(run: Callable[..., RunData]) -> None:
    runs = [
        run([0.3, 0.2, 0.4], tuner="bohb"),
        run([0.3, 0.25], tuner="tpe", budget=7),
        run([0.3, 0.25], cluster="c.yaml"),
    ]
    assert repeated(runs) == (2, 1)
    assert repeated(runs).text == "different answers in 1 of 2 searches that several runs made with one seed"
    assert repeated(runs[1:]) == (2, 0)
    assert repeated(runs[:1]) == (0, 0)


def test_confirming_searches_are_searches(run: Callable[..., RunData]) -> None:
    one = run([0.3])
    confirmed = replace(run([0.1]), told=(), confirmed=one.told)
    assert repeated([one, confirmed]) == (1, 0)
    assert repeated([run([0.2]), confirmed]) == (1, 1)


def test_others_epochs_settings_and_failures_are_none_of_them(run: Callable[..., RunData], group_of: GroupOf) -> None:
    one = run([0.3])
    assert repeated([one, run([0.2], optimizer="gdas"), run([0.2], channels=4), run([None])]) == (0, 0)
    assert repeated([one, *group_of("some", [[0.2]], optimizer="darts", epochs=[16]).runs]) == (0, 0)
    assert repeated(group_of("cells-re", [[0.2], [0.3]], tuner="re").runs) == (0, 0), "look-ups"
