from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import harness
from metaopt.cells.space import CELL_SPACES
from metaopt.cli import main
from metaopt.report.data.incumbents import anytime
from metaopt.report.data.load import load_run
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import without_clock
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.predictions import PREDICTIONS, columns_after, write_predictions
from metaopt.tables.schema import write_table


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(folder: str) -> list[tuple[int, float | None]]:
    return [(r.trial_id, r.valid_error) for r in RunFolder(Path(folder)).read().results.values()]


def test_a_baseline_is_a_run_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "--tuner", "random", "--budget", "40"]) == 0
    said = capsys.readouterr()
    assert "run folder: runs/cells-digits1-random-s0" in said.err
    assert "40 evaluations, 0 failed, 320 epochs" in said.out
    assert "op_1:" in said.out
    assert Path("runs/cells-digits1-random-s0/report/report.html").is_file()
    recorded = RunFolder(Path("runs/cells-digits1-random-s0")).read()
    seconds = sum(result.cost_s for result in recorded.results.values())
    assert recorded.elapsed_s == pytest.approx(seconds, abs=0.1)  # the table's, not the wall's
    assert recorded.header["default"] is None
    assert main(["status", "runs/cells-digits1-random-s0"]) == 0
    assert "default" not in said.out + said.err + capsys.readouterr().out
    assert not list(Path("runs").rglob("result*.json"))


def test_evolution_that_has_only_drawn_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["baseline", "--tuner", "re", "--budget", "25", "--no-report"]
    assert main(run) == 0
    assert "re was random search so far: of 25 trials none is a mutant." in capsys.readouterr().out
    assert main([*run, "--tuner-option", "population=20"]) == 0
    assert "so far" not in capsys.readouterr().out


def test_rungs_are_looked_up_at_their_epochs_and_bad_ones_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "--tuner", "hyperband", "--budget", "30", "--no-report", "--folder", "hb"]) == 0
    assert {trial.epochs for trial in RunFolder(Path("hb")).read().trials} == {1, 2, 4, 8}
    assert main(["baseline", "--tuner", "hyperband", "--budget", "30", "--tuner-options", "eta=3"]) == 2
    assert (
        "the tuner evaluates after 3 epochs, and digits has answers for all cells after 1, 2, 4, 8"
        in capsys.readouterr().err
    )


@pytest.fixture
def predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a benchmark ``few``: a third of the cells of space 1, and predictions after the last epochs and others."""

    def make(*after: int) -> None:
        for folder in ("cards", "tables"):
            (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
        card = {**load_card("digits").text, "name": "few", "table": "few-{space}.parquet"}
        (tmp_path / "cards" / "few.yaml").write_text(yaml.safe_dump(card))
        rows = pq.read_table(find_table(load_card("digits"), 1))
        write_table(tmp_path / "tables" / "few-1.parquet", rows.slice(0, len(rows) // 36 * 12), {})
        graphs = CELL_SPACES[1].distinct_graphs()
        columns = {"cell": [graph.key for graph in graphs.values()], "cell_hash": list(graphs)}
        names = [*PREDICTIONS[2:], *(name for epochs in after for name in columns_after(epochs))]
        columns |= {name: [0.5] * len(graphs) for name in names}  # type: ignore[misc]
        write_predictions(tmp_path / "tables" / "few-1.surrogate.parquet", pa.table(columns), {})

    return make


@pytest.mark.parametrize("tuner", ["hyperband", "bohb", "tpe_hb", "smac_mf"])
def test_what_a_surrogate_cannot_answer_is_refused_beforehand(
    tuner: str, predicted: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    predicted()
    command = ["baseline", "--benchmark", "few", "--tuner", tuner, "--budget", "12", "--no-report", "--folder", "few"]
    assert main(command) == 2
    refused = "the tuner evaluates after 1, 2, 4 epochs, and few has answers for all cells after 8\n"
    assert refused in capsys.readouterr().err
    assert not Path("few").exists()
    predicted(1, 2, 4)
    assert main(command) == 0
    recorded = RunFolder(Path("few")).read()
    assert {trial.epochs for trial in recorded.trials} >= {1, 2}
    assert all(result.status == "ok" for result in recorded.results.values())
    assert {result.info["predicted"] for result in recorded.results.values()} == {True, False}


def test_short_trainings_that_a_surrogate_cannot_answer_are_refused_beforehand(
    predicted: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    predicted()
    command = ["baseline", "--benchmark", "few", "--budget", "20", "--no-report", "--folder"]
    assert main([*command, "short", "--max-epochs", "4"]) == 2
    assert "evaluates after 4 epochs, and few has answers for all cells after 8\n" in capsys.readouterr().err
    assert main(["benchmark", "info", "few"]) == 0
    assert " after 8 epochs, not after 1, 2, 4, by " in capsys.readouterr().out
    assert main([*command, "long"]) == 0
    assert main([*command, "measured", "--max-epochs", "4", "--unknown", "restrict"]) == 0
    for name in ("long", "measured"):
        assert all(result.status == "ok" for result in RunFolder(Path(name)).read().results.values())


def test_seconds_of_training_are_a_budget_of_any_number_of_workers() -> None:
    for workers in ("1", "10"):
        command = ["baseline", "--budget-seconds", "20", "--workers", workers, "--no-report", "--folder", workers]
        assert main(command) == 0
        recorded = RunFolder(Path(workers)).read()
        assert recorded.end == "the budget of 20 s is used up"
        assert recorded.elapsed_s == pytest.approx(20.0, abs=0.01)
    assert len(told("10")) > 7 * len(told("1"))


def test_seconds_are_no_budget_where_predictions_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["baseline", "--cell-space", "3", "--budget-seconds", "3", "--no-report", "--folder"]
    assert main([*command, "predicted"]) == 2
    assert "budget_seconds is 3, but what digits answers does not always say" in capsys.readouterr().err
    assert not Path("predicted").exists()
    assert main([*command, "known", "--unknown", "restrict"]) == 0
    assert RunFolder(Path("known")).read().end == "the budget of 3 s is used up"


def test_the_same_seed_gives_the_same_run() -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert (
            main(["baseline", "--budget", "25", "--seed", seed, "--workers", "4", "--no-report", "--folder", name]) == 0
        )
    assert told("a") == told("b") != told("c")


@pytest.mark.slow
def test_a_killed_baseline_goes_on_to_the_same_end() -> None:
    run = [sys.executable, "-m", "metaopt", "baseline", "--budget", "400", "--no-report", "--folder"]
    subprocess.run([*run, "whole"], check=True, capture_output=True)
    driver = subprocess.Popen([*run, "killed"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = Path("killed/journal.jsonl")
    while not journal.is_file() or journal.stat().st_size < 20_000:
        assert driver.poll() is None
        time.sleep(0.005)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    assert len(told("killed")) < 400
    assert main(["resume", "killed", "--no-report"]) == 0
    assert told("killed") == told("whole")


@pytest.mark.slow
@pytest.mark.parametrize(("tuner", "budget"), [("bohb", 100), ("smac_mf", 60), ("tpe_hb", 120)])
def test_a_model_goes_on_after_a_kill_as_if_uninterrupted(tuner: str, budget: int) -> None:
    """Killed while the model proposes, within a bracket; but for clocks the journals are the same, line by line."""
    run = ["baseline", "--tuner", tuner, "--budget", str(budget), "--seed", "3", "--no-report", "--folder"]
    journal = Path("killed/journal.jsonl")
    driver = subprocess.Popen([sys.executable, "-m", "metaopt", *run, "killed"], stderr=subprocess.DEVNULL)
    while not journal.is_file() or journal.read_bytes().count(b'"model_based":true') < 9:
        assert driver.poll() is None
        time.sleep(0.005)
    os.kill(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    recorded = RunFolder(Path("killed")).read()
    assert 12 < len(recorded.trials) < budget
    assert main(["resume", "killed", "--no-report"]) == 0
    assert main([*run, "whole"]) == 0
    whole, resumed = (without_clock(harness.lines(Path(folder) / "journal.jsonl")) for folder in ("whole", "killed"))
    assert resumed == whole
    assert len(whole) == 2 * budget + 2


def test_help_has_no_settings_of_searches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["baseline", "--help"])
    shown = capsys.readouterr().out
    assert "--errors" in shown
    assert not {"--optimizer", "--channels", "--confirm", "--time-limit-s"} & set(shown.split())


@pytest.mark.slow
def test_cells_that_are_better_after_a_few_epochs_are_worth_what_they_are_after_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    cells = {cell.graph.hash: cell.graph.key for cell in (CELL_SPACES[1].sample(rng) for _ in range(40))}
    lines = ["cell,epochs,seed,valid_error,test_error"]
    for key in sorted(cells.values()):
        full = rng.uniform(0.1, 0.3)
        errors = {4: 0.45, 12: full + 0.05, 36: full - 0.08, 108: full}
        lines += [f"{key},{n},0,{error:.4f},{error + 0.01:.4f}" for n, error in errors.items()]
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n")
    assert main(["benchmark", "import", "csv", "mine.csv", "--as", "nasbench101"]) == 0
    command = ["baseline", "--benchmark", "nasbench101", "--unknown", "restrict", "--tuner", "hyperband"]
    assert main([*command, "--tuner-options", "eta=3", "--budget", "40", "--folder", "hb"]) == 0
    said = re.search(r"incumbent .*\(trial (\d+), (\d+) epochs\)", capsys.readouterr().out)
    assert said is not None
    assert said[2] == "36"
    page = Path("hb/report/report.html").read_text()
    assert f"Trial {said[1]}, 36 epochs: validation error" in page
    run = load_run(Path("hb"))
    curve, found = anytime(run), run.evaluations[int(said[1])]
    assert min(*curve.valid, *curve.test) >= 0
    assert run.optimum_test_error is not None
    assert curve.test[-1] == pytest.approx(found.info["final_test_error"] - run.optimum_test_error)
    assert found.test_error < run.optimum_test_error
