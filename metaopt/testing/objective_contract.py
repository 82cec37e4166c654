"""The contract suite of objectives: subclass :class:`ObjectiveContract`, set ``name`` and ``settings``, run pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace

from metaopt.core.records import answered
from metaopt.core.registry import load, resolve
from metaopt.core.trial import Result, Trial, charged_epochs
from metaopt.objectives import OBJECTIVES
from metaopt.objectives.base import Objective, dearest_epochs
from metaopt.spaces.space import plain


def build(name: str, settings: Mapping[str, Any]) -> Objective:
    """Returns the objective that is registered as ``name``, or stands at ``"module:attribute"``."""
    constructor = load(name) if ":" in name else resolve("objective", OBJECTIVES, name)
    objective: Objective = constructor(**settings)
    return objective


def print_result(job: str) -> None:
    """Prints the result of an evaluation as JSON, for comparing processes; ``job`` is JSON too."""
    name, settings, trial, folder = json.loads(job)
    result = build(name, settings).evaluate(Trial.from_json(trial), Path(folder))
    print(json.dumps(result.to_json()))


class ObjectiveContract:
    """The contract of :class:`metaopt.objectives.base.Objective`.

    Attributes:
        name: The objective's registered name, or ``"module:attribute"``.
        settings: Its keyword arguments, at a scale that takes a second or two.
        epochs: Budget of the test's evaluations.
    """

    name: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    epochs: ClassVar[int] = 2

    @pytest.fixture(scope="class")
    @classmethod
    def objective(cls) -> Objective:
        """Built once; evaluations leave nothing behind in it."""
        return build(cls.name, cls.settings)

    @pytest.fixture(scope="class")
    @classmethod
    def trial(cls, objective: Objective) -> Trial:
        """The default configuration of the objective's space."""
        return Trial(7, 3, plain(objective.space.get_default_configuration()), cls.epochs, seed=5)

    @pytest.fixture(scope="class")
    @classmethod
    def result(cls, objective: Objective, trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> Result:
        """What the objective answers to the default."""
        return objective.evaluate(trial, tmp_path_factory.mktemp("trial"))

    def test_declares_its_space_and_how_it_is_to_be_run(self, objective: Objective) -> None:
        """A study takes all of it before the first trial."""
        assert isinstance(objective.space, ConfigurationSpace)
        assert type(objective.needs_process) is bool
        assert type(objective.timed) is bool
        shortest, longest = objective.epochs
        assert 1 <= shortest <= longest
        assert objective.possible_epochs is None or {shortest, longest} <= objective.possible_epochs

    def test_settings_are_plain_json(self) -> None:
        """Any process can build the objective again."""
        assert json.loads(json.dumps(self.settings)) == dict(self.settings)

    def test_the_default_has_a_result(self, result: Result, trial: Trial) -> None:
        """Errors are shares in [0, 1], and the result is the one of the trial."""
        assert (result.trial_id, result.status, result.reason) == (trial.id, "ok", "")
        assert result.valid_error is not None
        assert 0.0 <= result.valid_error <= 1.0
        assert result.test_error is None or 0.0 <= result.test_error <= 1.0
        assert result.cost_s >= 0.0

    def test_it_trains_no_more_than_it_says(self, objective: Objective, trial: Trial, result: Result) -> None:
        """Or a run would be charged more than its budget of epochs."""
        dearest = dearest_epochs(objective, trial.config, trial.epochs)
        assert dearest >= charged_epochs(trial, result)

    def test_time_passes_where_it_is_said_to(self, objective: Objective, result: Result) -> None:
        """Or a run that only seconds limit would go on for ever."""
        assert result.cost_s > 0.0 or not objective.timed

    def test_the_driver_takes_the_result_as_it_is(self, result: Result, trial: Trial) -> None:
        """What breaks a rule, an error of 37.2 or a cost of -5, would be a crash of the trial."""
        assert answered(trial.id, result) == result

    def test_results_are_plain_json(self, result: Result) -> None:
        """A result survives the journal."""
        assert Result.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result

    def test_an_evaluation_repeats_itself(
        self, objective: Objective, trial: Trial, result: Result, tmp_path: Path
    ) -> None:
        """All but the seconds it took; the caller's global generator is left alone."""
        before = np.random.get_state(legacy=False)  # noqa: NPY002, that it is left alone is tested
        again = objective.evaluate(trial, tmp_path)
        np.testing.assert_equal(np.random.get_state(legacy=False), before)  # noqa: NPY002, likewise
        assert replace(again, cost_s=result.cost_s, cpu_s=result.cpu_s) == result

    def test_it_repeats_itself_in_another_process_with_another_hash_seed(
        self, trial: Trial, result: Result, tmp_path: Path
    ) -> None:
        """So a result does not depend on who evaluates."""
        job = json.dumps([self.name, dict(self.settings), trial.to_json(), str(tmp_path)])
        code = f"import sys; from {__name__} import print_result; print_result(sys.argv[1])"
        hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", code, job], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        elsewhere = Result.from_json(json.loads(done.stdout.splitlines()[-1]))
        assert replace(elsewhere, cost_s=result.cost_s, cpu_s=result.cpu_s) == result

    def test_the_description_is_plain_json_and_names_the_optimum(self, objective: Objective, result: Result) -> None:
        """Regret is counted from it, so nothing can be below it."""
        described = objective.describe()
        assert json.loads(json.dumps(described, allow_nan=False)) == described
        optimum = described["optimum_valid_error"]
        assert "optimum_test_error" in described
        assert optimum is None or (result.valid_error is not None and optimum <= result.valid_error)
