from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

import harness
from metaopt.report.data.load import load_run
from metaopt.report.export.files import export
from optuna_files import opened


@pytest.fixture
def folder(make_run: Callable[..., Path]) -> Path:
    return make_run(n=30)


@pytest.fixture
def study(folder: Path) -> Iterator[optuna.Study]:
    with opened(export([folder], "optuna", None)) as storage:
        yield optuna.load_study(study_name=folder.name, storage=storage)


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
    with opened(file) as storage:
        trials = optuna.load_study(study_name=folder.name, storage=storage).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.RUNNING]


@pytest.fixture(params=["Europe/Amsterdam", "America/St_Johns", "Pacific/Chatham"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The zone of this machine."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("started", ["2026-03-29T00:59:57+00:00", "2026-10-25T02:59:57+02:00", "2026-10-25T00:59:57"])
def test_trials_stay_in_order_across_a_change_of_clocks(
    write_run: Callable[..., Path], answer: Callable[..., object], tmp_path: Path, zone: str, started: str
) -> None:
    folder = write_run([answer(i, 0.2, config={}) for i in range(4)], started=started)
    file = export([folder], "optuna", tmp_path / "run.db")
    begun = datetime.fromisoformat(started)
    begun = begun.astimezone(UTC) if begun.tzinfo else begun.replace(tzinfo=UTC)
    with closing(sqlite3.connect(file)) as database:
        stored = database.execute("SELECT datetime_start, datetime_complete FROM trials ORDER BY number").fetchall()
        told = "SELECT value_json FROM trial_user_attributes WHERE key = 'asked_at' ORDER BY trial_id"
        asked = [datetime.fromisoformat(json.loads(text)) for (text,) in database.execute(told)]
    for number, pair in enumerate(stored):
        expected = [begun + timedelta(seconds=2 * number + later) for later in (0, 1)]
        assert [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in pair] == expected, zone
    assert asked == sorted(asked) == [begun + timedelta(seconds=2 * number) for number in range(4)]


@pytest.mark.parametrize("name", ["50 %", "what?mode=ro", "a#b", "%41{x}"])
def test_any_path_will_do(
    write_run: Callable[..., Path],
    answer: Callable[..., object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    place = tmp_path / name
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    folder = write_run([answer(0, 0.2, config={})], name=name)
    file = export([folder], "optuna", place / f"{name}.db")
    assert list(place.iterdir()) == [file]
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT study_name FROM studies").fetchall() == [(name,)]


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
            harness.wait_until(lambda: _listens(port), "the dashboard")
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
