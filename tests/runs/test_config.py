from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import ConfigError, flag
from metaopt.core.machine import cores
from metaopt.core.trial import Budget
from metaopt.runs.config import changed, load_config
from metaopt.settings.run import BaselineSettings, TuneSettings, settings

FLAGS = {"optimizer": "darts", "budget": "50"}


def load(environ: Mapping[str, str] | None = None, file: Path | None = None, **flags: Any) -> TuneSettings:
    return load_config(TuneSettings, {**FLAGS, **flags}, environ or {}, file)


def problem(environ: Mapping[str, str] | None = None, file: Path | None = None, **flags: Any) -> str:
    with pytest.raises(ConfigError) as error:
        load(environ, file, **flags)
    return str(error.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run.yaml"


def test_two_flags_are_enough() -> None:
    found = load()
    assert (found.benchmark, found.cell_space, found.tuner, found.executor) == ("digits", 1, "bohb", "dask")
    assert (found.space, found.workers, found.budget, found.confirm) == ("darts", cores(), 50, 3)


def test_what_a_run_may_use() -> None:
    assert load(budget_epochs="300").limits == Budget(evaluations=50, epochs=300)
    assert load(budget="1", budget_seconds="60").limits == Budget(evaluations=1, seconds=60.0)


def test_the_layers_go_before_each_other(file: Path) -> None:
    file.write_text("seed: 1\nconfirm: 1\nmin_epochs: 1\ntuner_options: {eta: 2}\nbudget_seconds: 60\n")
    environ = {"METAOPT_SEED": "2", "METAOPT_CONFIRM": "2", "METAOPT_HOME": "/somewhere", "HOME": "/root"}
    found = load(environ, file, seed="3")
    assert (found.min_epochs, found.confirm, found.seed) == (1, 2, 3)
    assert found.tuner_options == {"eta": 2}
    assert found.budget_seconds == 60.0
    assert type(found.budget_seconds) is float


def test_options_of_the_tuner() -> None:
    assert load(tuner_options=["eta=2", "top_n_percent=10"]).tuner_options == {"eta": "2", "top_n_percent": "10"}
    assert load({"METAOPT_TUNER_OPTIONS": "eta=2,num_samples=8"}).tuner_options == {"eta": "2", "num_samples": "8"}
    assert "--tuner-options must be name=value pairs, got ['eta']" in problem(tuner_options=["eta"])


def test_a_space_file_is_found_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(space="mine.yaml").space == str(tmp_path / "mine.yaml")


def test_one_worker_where_there_is_one_at_a_time() -> None:
    assert load(executor="serial").workers == 1


def test_a_resumed_run_may_change_its_workers() -> None:
    begun = load_config(TuneSettings, {"optimizer": "darts", "budget": "3", "workers": "2"}, {})
    assert changed(begun, {}) == begun
    assert changed(begun, {"executor": "serial"}).workers == 1
    for workers in (0, -3, 1000):
        with pytest.raises(ConfigError, match=rf"workers (is|must be) .*{workers}"):
            changed(begun, {"workers": workers})


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"budget": "0"}, "budget must be at least 1, got 0"),
        ({"budget": "-3"}, "budget must be at least 1, got -3"),
        ({"budget": "many"}, "--budget must be a whole number or none, got 'many'"),
        ({"budget": "1e-3"}, "--budget must be a whole number or none, got '1e-3'"),
        ({"budget": "2.5"}, "--budget must be a whole number"),
        ({"budget_seconds": "nan"}, "--budget-seconds must be a number or none, got 'nan'"),
        ({"budget_seconds": "inf"}, "--budget-seconds must be a number or none, got 'inf'"),
        (
            {"batch_norm": "publishd"},
            "got 'publishd'; did you mean 'published'?",
        ),
        ({"channels": "0"}, "channels must be in [1, 4096], got 0"),
        ({"optimizer": "dart"}, "unknown one-shot optimizer 'dart'; did you mean 'darts'?"),
        ({"tuner": "bobh"}, "unknown tuner 'bobh'; did you mean 'bohb'?"),
        ({"executor": "desk"}, "unknown executor 'desk'; did you mean 'dask'?"),
        ({"cell_space": "4"}, "cell_space must be 1, 2 or 3, got 4"),
        ({"workers": "0"}, "workers must be at least 1, got 0"),
        ({"workers": "1000"}, "workers is 1000; allowed: 1 to"),
        ({"workers": "2", "executor": "serial"}, "the serial executor runs one evaluation at a time"),
        ({"seed": "-1"}, "seed must be in [0, 9223372036854775807], got -1"),
        ({"time_limit_s": "0"}, "time_limit_s must be in [1, 1000000000], got 0.0"),
        ({"confirm": "-1"}, "confirm must be at least 0, got -1"),
    ],
)
def test_what_cannot_be_used(flags: dict[str, str], message: str) -> None:
    text = problem(**flags)
    assert message in text
    assert "\n  " in text, "it says no next step"


def test_all_problems_come_together() -> None:
    text = problem(tuner="bobh", budget="0", seed="-1")
    assert text.startswith("3 settings cannot be used:")
    assert all(part in text for part in ("'bobh'", "budget must be at least 1", "seed must be in"))
    text = problem({"METAOPT_SEEDS": "1"}, workers="a", confirm="b")
    assert text.startswith("3 settings cannot be used:")


def test_something_must_be_tuned_and_end() -> None:
    with pytest.raises(ConfigError, match=r"no one-shot optimizer is given; allowed: .*darts"):
        load_config(TuneSettings, {"budget": "5"}, {})
    with pytest.raises(ConfigError, match="no budget is given"):
        load_config(TuneSettings, {"optimizer": "darts"}, {})


def test_an_unknown_variable_is_not_passed_over() -> None:
    text = problem({"METAOPT_WORKER": "3"})
    assert "unknown environment variable 'METAOPT_WORKER'; did you mean 'METAOPT_WORKERS'?" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("budgets: 3\n", "unknown setting in {file}: 'budgets'; did you mean 'budget'?"),
        ("budget_seconds: 1e-3\n", "line 1, column 17: YAML reads 1e-3 as text, not as a number"),
        ("- budget\n", "is not a mapping of settings"),
        ("budget: [\n", "line 2"),
        ("budget: fifty\n", "budget in {file} must be a whole number or none, got 'fifty'"),
        ("budget: true\n", "budget in {file} must be a whole number or none, got True"),
        ("seed: 1\nseed: 2\n", "the key 'seed' stands twice"),
    ],
)
def test_a_run_file_that_cannot_be_used(file: Path, content: str, message: str) -> None:
    file.write_text(content)
    assert message.format(file=file) in problem(file=file)


def test_a_run_file_that_is_not_there(file: Path) -> None:
    assert "no such file" in problem(file=file)


def test_an_empty_run_file_says_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert load(file=file) == load()


@pytest.mark.parametrize("kind", [TuneSettings, BaselineSettings])
def test_every_setting_has_a_flag_of_its_own(kind: type[TuneSettings | BaselineSettings]) -> None:
    flags = [flag(field.name) for field in settings(kind)]
    assert len(set(flags)) == len(flags)


def test_an_error_says_where_the_setting_is_given(file: Path) -> None:
    file.write_text("seed: -1\nconfirm: -1\n")
    text = problem({"METAOPT_WORKERS": "0"}, file=file, confirm="-2")
    assert f"change seed in {file}" in text
    assert "change METAOPT_WORKERS" in text
    assert "change --confirm" in text


def test_former_names_are_accepted(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("hyperparameters: darts_cs1\n")
    assert load(file=file).space == "darts_cs1"
    assert "hyperparameters in" in capsys.readouterr().err
    assert load({"METAOPT_HYPERPARAMETERS": "gdas"}).space == "gdas"
    assert "METAOPT_HYPERPARAMETERS in the environment is called METAOPT_SPACE now" in capsys.readouterr().err


def test_a_baseline_has_settings_of_its_own() -> None:
    found = load_config(BaselineSettings, {"budget": "280", "tuner": "random"}, {"METAOPT_OPTIMIZER": "darts"})
    assert (found.executor, found.workers, found.confirm) == ("simulated", 1, 0)
    many = load_config(BaselineSettings, {"budget": "280", "workers": "1000"}, {})
    assert many.workers == 1000
    with pytest.raises(ConfigError, match="errors must be mean or single, got 'median'"):
        load_config(BaselineSettings, {"budget": "280", "errors": "median"}, {})
    with pytest.raises(ConfigError, match="unknown environment variable 'METAOPT_OPTIMISER'"):
        load_config(BaselineSettings, {"budget": "280"}, {"METAOPT_OPTIMISER": "darts"})
