from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

import harness
from metaopt.report.interchange import export
from metaopt.report.load import load_run


@pytest.fixture
def folder(make_run: Callable[..., Path]) -> Path:
    return make_run(n=30)


@pytest.fixture
def study(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name=folder.name, storage=f"sqlite:///{export([folder], 'optuna', None)}")


def test_trials_are_those_of_the_run(folder: Path, study: optuna.Study) -> None:
    run = load_run(folder)
    started = datetime.fromisoformat(run.header["started"]).astimezone().replace(tzinfo=None)
    assert len(study.trials) == len(run.evaluations) == 30
    for found, evaluation in zip(study.trials, run.evaluations, strict=True):
        assert found.params == evaluation.trial.config
        assert found.state == (TrialState.COMPLETE if evaluation.ok else TrialState.FAIL)
        assert found.user_attrs["epochs"] == evaluation.trial.epochs
        assert found.datetime_start == started + timedelta(seconds=evaluation.asked_s)
        assert found.duration == timedelta(seconds=evaluation.told_s - evaluation.asked_s)
        if evaluation.ok:
            assert found.value == evaluation.valid_error
            assert found.intermediate_values == {evaluation.trial.epochs: evaluation.valid_error}
            assert found.user_attrs["test_error"] == evaluation.test_error
        else:
            assert found.user_attrs["reason"] == evaluation.result.reason  # type: ignore[union-attr]
    assert study.best_value == min(e.valid_error for e in run.ok)
    assert study.user_attrs["tuner"] == "bohb"


def test_optuna_can_go_on_from_it(study: optuna.Study) -> None:
    assert set(optuna.importance.get_param_importances(study, params=["learning_rate", "momentum"])) == {
        "learning_rate",
        "momentum",
    }


def test_a_trial_without_an_answer_is_running(
    write_run: Callable[..., Path], answer: Callable[..., object], tmp_path: Path
) -> None:
    folder = write_run([answer(0, 0.2, config={}), answer(1, None, config={})])
    file = export([folder], "optuna", tmp_path / "run.db")
    trials = optuna.load_study(study_name=folder.name, storage=f"sqlite:///{file}").trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.RUNNING]


def test_numbers(study: optuna.Study) -> None:
    of = study.trials[0].distributions
    assert of["learning_rate"] == FloatDistribution(1e-3, 1e-1, log=True)
    assert of["batch_size"] == IntDistribution(16, 128, log=True)


@pytest.fixture
def dashboard(folder: Path) -> Iterator[str]:
    """The address of Optuna's dashboard with the study open."""
    file = export([folder], "optuna", None)
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("optuna-dashboard")), f"sqlite:///{file}", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            harness.wait_until(lambda: _listens(port), 60, "the dashboard")
            yield f"http://localhost:{port}"
        finally:
            server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("localhost", port)) == 0


@pytest.mark.slow
def test_optuna_s_dashboard_opens_it(folder: Path, dashboard: str) -> None:
    def answer(path: str) -> dict[str, object]:
        with urllib.request.urlopen(f"{dashboard}/api/{path}", timeout=30) as response:
            return json.load(response)

    (summary,) = answer("studies")["study_summaries"]  # type: ignore[misc]
    assert summary["study_name"] == folder.name
    trials = answer(f"studies/{summary['study_id']}?after=0")["trials"]
    assert len(trials) == 30  # type: ignore[arg-type]
