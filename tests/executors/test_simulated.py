from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from ConfigSpace import ConfigurationSpace, Float

from metaopt.core.errors import ConfigError
from metaopt.core.trial import Result, Trial
from metaopt.executors.base import Recipe
from metaopt.executors.simulated import SimulatedExecutor


class Costly:
    """An evaluation that costs as many seconds as its configuration says, and fails below 0."""

    needs_process: ClassVar[bool] = False
    space = ConfigurationSpace(space=[Float("cost", (-1.0, 100.0), default=1.0)])
    epochs: ClassVar[tuple[int, int]] = (1, 1)
    possible_epochs: ClassVar[frozenset[int] | None] = None
    timed: ClassVar[bool] = True

    def evaluate(self, trial: Trial, folder: Path) -> Result:
        if trial.config["cost"] < 0:
            raise ValueError("on purpose")
        return Result(trial.id, "ok", 0.5, cost_s=float(trial.config["cost"]))

    def describe(self) -> dict[str, Any]:
        return {}


RECIPE = Recipe("executors.test_simulated:Costly", {}, needs_process=False)


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> SimulatedExecutor:
    monkeypatch.setattr("metaopt.core.registry.load", lambda path: Costly)
    return SimulatedExecutor(RECIPE, 3)


def submit(crew: SimulatedExecutor, trial_id: int, cost: float) -> None:
    crew.submit(Trial(trial_id, trial_id, {"cost": cost}, 1, trial_id), Path("nowhere"))


def test_results_come_in_the_order_in_which_workers_would_finish(crew: SimulatedExecutor) -> None:
    for trial_id, cost in enumerate((30.0, 10.0, 20.0)):
        submit(crew, trial_id, cost)
    assert (crew.free, crew.running) == (0, {0, 1, 2})
    ended = []
    while crew.running:
        ended += [(result.trial_id, crew.clock()) for result in crew.wait(float("inf"))]
    assert ended == [(1, 10.0), (2, 20.0), (0, 30.0)]
    submit(crew, 3, 5.0)
    assert crew.wait(float("inf"))[0].trial_id == 3
    assert crew.clock() == 35.0


def test_waiting_ends_at_the_second_asked_for(crew: SimulatedExecutor) -> None:
    submit(crew, 0, 30.0)
    assert crew.wait(12.0) == []
    assert (crew.clock(), crew.running) == (12.0, {0})
    assert crew.wait(18.0)[0].trial_id == 0
    assert crew.wait(float("inf")) == []
    assert crew.clock() == 30.0


def test_an_exception_costs_one_trial(crew: SimulatedExecutor) -> None:
    submit(crew, 0, -1.0)
    (result,) = crew.wait(float("inf"))
    assert (result.status, "ValueError: on purpose" in result.reason) == ("crashed", True)


def test_failures_take_simulated_time_and_none_of_the_wall(crew: SimulatedExecutor) -> None:
    """They come back in the order of their ids, however long each took to fail; and the clock goes on."""
    for trial_id in range(3):
        submit(crew, trial_id, -1.0)
    ended = [(crew.wait(float("inf"))[0], crew.clock()) for _ in range(3)]
    assert [(result.trial_id, result.cost_s, at_s) for result, at_s in ended] == [(n, 1.0, 1.0) for n in range(3)]


def test_what_is_stopped_ends_at_once(crew: SimulatedExecutor) -> None:
    submit(crew, 0, 30.0)
    submit(crew, 1, 20.0)
    crew.wait(4.0)
    crew.stop([0, 9])
    assert [result.status for result in crew.wait(float("inf"))] == ["stopped"]
    assert crew.clock() == 4.0
    assert crew.wait(float("inf"))[0].status == "ok"
    submit(crew, 2, 1.0)
    crew.close()
    assert crew.running == frozenset()


def test_real_computing_is_refused() -> None:
    with pytest.raises(ConfigError, match="looks results up, and this run has to compute them"):
        SimulatedExecutor(Recipe("x:Y", {}), 1)
