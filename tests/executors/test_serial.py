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


def test_a_trial_that_cannot_be_started_costs_itself_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with SerialExecutor(Recipe("faults:Faults", {})) as crew:
        crew.submit(trial(0), tmp_path / "file" / "0")
        (result,) = crew.wait(0.0)
        assert result.reason.startswith("cannot be supervised: NotADirectoryError")
        crew.submit(trial(1), tmp_path / "1")
        while not (results := crew.wait(1.0)):
            pass
        assert results[0].status == "ok"
