"""What an ask costs, after 10, 100 and 1000 results: a tuner must not take longer than the evaluations it plans.

Prints CPU milliseconds per ask, mean and largest of a batch, and what reading the results back from a journal costs.
"""

from __future__ import annotations

import time
from itertools import chain

import numpy as np
import pytest

from metaopt.registry import resolve
from metaopt.seeds import stream
from metaopt.spaces import load_space
from metaopt.trial import Result
from metaopt.tuners import TUNERS

TUNERS_TIMED = ["random", "smac", "smac_mf", "tpe", "tpe_hb"]
RESULTS, ASKS = (10, 100, 1000), 16


@pytest.mark.perf
@pytest.mark.parametrize("name", TUNERS_TIMED)
def test_cpu_of_an_ask(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    space, rng = load_space("darts"), stream(1)
    for n_results in RESULTS:
        build = resolve("tuner", TUNERS, name)
        tuner, again = (build(space, seed=1, min_epochs=1, max_epochs=1) for _ in range(2))
        asked = tuner.ask(n_results)
        told = [Result(trial.id, "ok", valid_error=0.05 + 0.2 * float(rng.random())) for trial in asked]
        for result in told:
            tuner.tell(result)
        seconds = np.empty(ASKS)
        trials = []
        for i in range(ASKS):
            started = time.process_time()
            (trial,) = tuner.ask()
            seconds[i] = time.process_time() - started
            trials.append(trial)
            tuner.tell(Result(trial.id, "ok", valid_error=0.05 + 0.2 * float(rng.random())))
        started = time.process_time()
        again.replay(chain(asked, told))
        replay = time.process_time() - started
        with capsys.disabled():
            print(f"\n{name:9}{n_results:5} results: {1e3 * seconds.mean():7.1f} ms CPU per ask, ", end="")
            print(f"{1e3 * seconds.max():7.1f} the longest; replay {replay:6.2f} s", end="")
        assert again.ask() == trials[:1], "goes on as the one that was not interrupted"
