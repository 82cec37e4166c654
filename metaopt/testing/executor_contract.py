"""The contract suite of executors: subclass :class:`ExecutorContract`, set ``executor``, run pytest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from metaopt.core.trial import Result, Trial, Value
from metaopt.executors.base import Executor, Recipe


def trial(trial_id: int, deed: str = "answer", x: float = 0.5) -> Trial:
    """Returns a trial of the objective that :attr:`ExecutorContract.objective` names."""
    config: dict[str, Value] = {"x": x, "deed": deed}
    return Trial(trial_id, trial_id, config, epochs=1, seed=trial_id)


class ExecutorContract:
    """What every executor must do.

    Attributes:
        executor: The class under test.
        objective: ``"module:attribute"`` of an objective over ``x`` and ``deed``: what happens during the evaluation,
            one of ``answer``, ``raise``, ``nan``, ``segfault``, ``exit``, ``hang``, ``threads``.
        workers: Number of workers to test with.
    """

    executor: ClassVar[type[Executor]]
    objective: ClassVar[str] = "faults:Faults"
    workers: ClassVar[int] = 1

    @pytest.fixture(scope="class")
    @classmethod
    def crew(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
        """One executor for all tests, so that they also show that it survives each of them."""
        log = tmp_path_factory.mktemp("log") / "log.txt"
        recipe = Recipe(cls.objective, {"log": str(log)}, time_limit_s=20.0)
        with cls.executor(recipe, cls.workers) as crew:
            yield crew

    def finish(self, crew: Executor, seconds: float = 60.0) -> dict[int, Result]:
        """Waits for all that runs."""
        results: list[Result] = []
        deadline = time.monotonic() + seconds
        while crew.running and time.monotonic() < deadline:
            results += crew.wait(0.5)
        assert not crew.running, "a trial never ended"
        return {result.trial_id: result for result in results}

    def run_one(self, crew: Executor, folder: Path, deed: str) -> Result:
        """Runs one trial to its end."""
        crew.submit(trial(0, deed), folder)
        return self.finish(crew)[0]

    def test_answers(self, crew: Executor, tmp_path: Path) -> None:
        """A trial's result comes back, once, and the executor is free again."""
        assert crew.free == self.workers
        crew.submit(trial(7), tmp_path / "7")
        assert crew.free == self.workers - 1
        assert crew.running == {7}
        result = self.finish(crew)[7]
        assert result.status == "ok", result.reason
        assert result.valid_error == pytest.approx(0.14)
        assert crew.free == self.workers
        assert crew.wait(0.0) == []

    def test_waits_no_longer_than_asked(self, crew: Executor) -> None:
        """Waiting for nothing ends."""
        started = time.monotonic()
        assert crew.wait(0.1) == []
        assert time.monotonic() - started < 5.0

    @pytest.mark.parametrize(
        ("deed", "reason"),
        [
            ("raise", "ArithmeticError: on purpose"),
            ("nan", "valid_error is nan"),
            ("segfault", "killed by signal 11 (SIGSEGV)"),
            ("exit", "SystemExit: 3"),
        ],
    )
    def test_a_fault_costs_one_trial(self, crew: Executor, tmp_path: Path, deed: str, reason: str) -> None:
        """It comes back as crashed with its reason, and the next trial is evaluated."""
        result = self.run_one(crew, tmp_path / "0", deed)
        assert (result.status, result.valid_error) == ("crashed", None)
        assert reason in result.reason
        assert self.run_one(crew, tmp_path / "1", "answer").status == "ok"

    def test_stop(self, crew: Executor, tmp_path: Path) -> None:
        """A hanging trial can be stopped; evaluated again in the same folder, it is not stopped at once."""
        crew.submit(trial(3, "hang"), tmp_path / "3")
        assert crew.wait(1.0) == []
        crew.stop([3, 99])
        assert self.finish(crew)[3].status == "stopped"
        crew.submit(trial(3), tmp_path / "3")
        assert self.finish(crew)[3].status == "ok"

    def test_a_finished_trial_is_not_evaluated_again(self, crew: Executor, tmp_path: Path) -> None:
        """Its stored result is taken; the result of another trial is not."""
        log = Path(crew.recipe.settings["log"])
        first = self.run_one(crew, tmp_path / "0", "answer")
        evaluations = log.read_text()
        assert self.run_one(crew, tmp_path / "0", "answer") == first
        assert log.read_text() == evaluations
        crew.submit(trial(0, x=0.3), tmp_path / "0")
        assert self.finish(crew)[0].valid_error == pytest.approx(0.1)

    def test_fills_all_workers(self, crew: Executor, tmp_path: Path) -> None:
        """As many trials as there are workers run at once, and all come back."""
        ids = range(self.workers)
        for trial_id in ids:
            crew.submit(trial(trial_id), tmp_path / str(trial_id))
        assert crew.free == 0
        assert set(self.finish(crew)) == set(ids)

    def test_one_thread_per_trial(self, crew: Executor, tmp_path: Path) -> None:
        """The numerical libraries of a trial are told to use the threads of the recipe."""
        assert self.run_one(crew, tmp_path / "0", "threads").valid_error == pytest.approx(0.01)
