"""Two workers on two cores against one: searches of a few seconds each, the same ones, one round after the other."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import pytest

from metaopt.core.trial import Trial
from metaopt.executors.base import Recipe
from metaopt.executors.dask.executor import DaskExecutor
from metaopt.spaces.space import load_space, plain

SEARCHES, EPOCHS, ROUNDS = 12, 12, 3
#: Of 2. What is lost to processes that are started and to results on their way.
LEAST = 1.9


def seconds(crew: DaskExecutor, searches: int, folder: Path) -> float:
    """Returns how long so many searches take with as many at a time as there are workers."""
    config = plain(load_space("darts").get_default_configuration())
    waiting = [Trial(n, n, config, EPOCHS, seed=n) for n in range(searches)]
    began = time.perf_counter()
    while waiting or crew.running:
        while waiting and crew.free:
            trial = waiting.pop()
            crew.submit(trial, folder / str(trial.id))
        assert all(result.status == "ok" for result in crew.wait(0.25))
    return time.perf_counter() - began


def measure(workers: int, folder: Path) -> float:
    """Returns the seconds that a cluster of its own takes, which nothing runs beside: an idle one costs a bit, too."""
    recipe = Recipe("metaopt.objectives.oneshot:OneShot", {"optimizer": "darts"})
    with DaskExecutor(recipe, workers) as crew:
        while len(crew.hosts) < workers:
            crew.wait(0.1)
        seconds(crew, workers, folder / "warm")  # fork servers load their libraries
        return seconds(crew, SEARCHES, folder)


@pytest.mark.perf
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one core")
def test_two_workers_do_almost_twice_as_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratios = []
    for number in range(ROUNDS):
        alone, both = (measure(workers, tmp_path / f"{number}-{workers}") for workers in (1, 2))
        ratios.append(alone / both)
        with capsys.disabled():
            print(f"\n{SEARCHES} searches: {alone:.1f} s by one worker, {both:.1f} s by two", end="")
            print(f": {ratios[-1]:.2f} of 2", end="")
    assert statistics.median(ratios) >= LEAST
