from __future__ import annotations

from pathlib import Path

from metaopt.executors.base import Recipe
from metaopt.executors.serial import SerialExecutor
from metaopt.testing.executor_contract import trial


def test_an_objective_without_a_process_is_evaluated_while_waiting(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with SerialExecutor(Recipe("faults:Inline", {"log": str(log)}, needs_process=False)) as crew:
        crew.submit(trial(0), tmp_path / "0")
        assert not log.exists()
        crew.stop([0])
        assert [result.status for result in crew.wait(0.0)] == ["ok"]
        assert log.exists()


def test_closing_ends_the_trial(tmp_path: Path) -> None:
    crew = SerialExecutor(Recipe("faults:Faults", {}))
    crew.submit(trial(0, "hang"), tmp_path / "0")
    crew.close()
    assert crew.free == 1
    assert crew.wait(0.0) == []
