"""What an ask costs, after 10, 100 and 1000 results: a tuner must not take longer than the evaluations it plans.

Prints CPU milliseconds per ask, mean and largest of a batch, in a space of hyperparameters and in one of cells.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from metaopt.cells.codec import cell_configuration_space
from metaopt.cells.space import CELL_SPACES
from metaopt.core.registry import resolve
from metaopt.core.seeds import stream
from metaopt.core.trial import Result
from metaopt.spaces.space import load_space
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem

RESULTS, ASKS, MOST_S = (10, 100, 1000), 20, 1.0


@pytest.mark.perf
@pytest.mark.parametrize(
    "name", ["random", "re", "reinforce", "local_search", "bananas", "smac", "smac_mf", "tpe", "tpe_hb"]
)
@pytest.mark.parametrize("where", ["darts", "cells"])
def test_cpu_of_an_ask(name: str, where: str, capsys: pytest.CaptureFixture[str]) -> None:
    space = load_space(where) if where == "darts" else cell_configuration_space(CELL_SPACES[1])
    rng = stream(1)
    for n_results in RESULTS:
        tuner = resolve("tuner", TUNERS, name)(Problem(space, 1, 1, 1))
        for trial in tuner.ask(n_results):
            tuner.tell(Result(trial.id, "ok", valid_error=0.05 + 0.2 * float(rng.random())))
        seconds = np.empty(ASKS)
        for i in range(ASKS):
            started = time.process_time()
            (trial,) = tuner.ask()
            seconds[i] = time.process_time() - started
            tuner.tell(Result(trial.id, "ok", valid_error=0.05 + 0.2 * float(rng.random())))
        with capsys.disabled():
            print(f"\n{name:14}{where:7}{n_results:5} results: ", end="")
            print(f"{1e3 * seconds.mean():7.1f} ms CPU per ask, {1e3 * seconds.max():7.1f} the longest", end="")
        assert seconds.mean() < MOST_S  # models that are trained for several asks at once may take longer for one
