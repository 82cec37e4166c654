"""What a run costs beside its evaluations: proposing, journalling, showing, per evaluation of a real baseline.

Of a run of searches it is what passes from ask to tell without the search: starting its process, building what it
needs, and storing its result. After the first one, for which the fork server starts, that is at most .3 s.

Prints milliseconds per evaluation, of CPU and of the wall, with the look-ups taken out. The tuners without a model of
results must stay below 5 ms of CPU, which a table of 1 ms look-ups bears; the others are shorter runs, and printed.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from metaopt.cli import main
from metaopt.core.trial import Result, Trial
from metaopt.objectives.table import TableLookup
from metaopt.runs.folder import RunFolder
from metaopt.tuners import TUNERS

MOST_BESIDE_S = 0.3
MOST_S, MODEL_FREE = 0.005, ("hyperband", "random", "re", "reinforce")
#: Evaluations of those that take long; of the others 1,000.
EVALUATIONS = {"bananas": 100, "bohb": 300, "smac": 100, "smac_mf": 100, "tpe": 300, "tpe_hb": 300}
FLAGS = {"grid": ["--tuner-options", "over=[op_1, op_2, op_3, op_4, parents_3, parents_output]"]}


@pytest.mark.perf
@pytest.mark.parametrize("name", sorted(TUNERS))
def test_a_run_beside_its_look_ups(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_up = [0.0, 0.0]
    look_up = TableLookup.evaluate

    def timed(*arguments: Any) -> Result:
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        result = look_up(*arguments)
        looked_up[0] += time.process_time() - cpu_s
        looked_up[1] += time.perf_counter() - wall_s
        return result

    monkeypatch.setattr(TableLookup, "evaluate", timed)
    n = EVALUATIONS.get(name, 1000)
    command = ["baseline", "--tuner", name, *FLAGS.get(name, []), "--no-report", "--folder"]
    assert main([*command, str(tmp_path / "first"), "--budget", "1"]) == 0  # loads the libraries and the table
    looked_up[:] = [0.0, 0.0]
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    assert main([*command, str(tmp_path / "run"), "--budget", str(n)]) == 0
    cpu_s, wall_s = time.process_time() - cpu_s - looked_up[0], time.perf_counter() - wall_s - looked_up[1]
    assert len(RunFolder(tmp_path / "run").read().results) == n
    capsys.readouterr()  # what the runs said, or it would come between the figures
    with capsys.disabled():
        print(f"\n{name:14}{n:5} evaluations: {1e3 * cpu_s / n:7.2f} ms CPU, {1e3 * wall_s / n:7.2f} ms each", end="")
        print(f"; a look-up {1e3 * looked_up[0] / n:.2f} ms CPU", end="")
    assert looked_up[0] > 0
    assert name not in MODEL_FREE or cpu_s / n < MOST_S


@pytest.mark.perf
@pytest.mark.parametrize("executor", ["serial", "dask"])
def test_a_trial_beside_its_search(executor: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tune", "--optimizer", "darts", "--tuner", "random", "--budget", "8", "--max-epochs", "2"]
    where = [
        "--executor",
        executor,
        "--workers",
        "1",
        "--confirm",
        "0",
        "--no-report",
        "--folder",
        str(tmp_path / "run"),
    ]
    assert main([*command, *where]) == 0
    recorded = RunFolder(tmp_path / "run").read()
    asked = {event.record.id: event.at_s for event in recorded.events if isinstance(event.record, Trial)}
    beside_s = [
        event.at_s - asked[event.record.trial_id] - event.record.cost_s
        for event in recorded.events
        if isinstance(event.record, Result)
    ]
    capsys.readouterr()
    typical_s = statistics.median(beside_s[1:])
    with capsys.disabled():
        print(f"\n{executor:14}first trial {beside_s[0]:.2f} s beside its search, the others {typical_s:.3f} s", end="")
    assert typical_s <= MOST_BESIDE_S
