from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import harness
from metaopt.cli import commands, main
from metaopt.cli.parser import parse
from metaopt.ranking import scores
from metaopt.ranking.scores import Scores, ScoringJob, write_scores

COMMAND = ["correlate", "--optimizer", "darts", "--epochs", "1", "--seeds", "1", "--sample", "5", "--out", "mine"]


@pytest.fixture
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores that cost nothing."""

    def score(part: ScoringJob) -> None:
        study = part.study
        shape = (len(study.at), len(study.defects), len(study.graphs), 2)
        values = np.random.default_rng(part.seed).random(shape).astype(np.float32)
        write_scores(Scores(part, values, ("w",) * len(study.at), 1.0))

    monkeypatch.setattr(scores, "score_part", score)


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("_made_up")
def test_a_study_is_written_and_written_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*COMMAND, "--seeds", "2", "--sample", "30", "--workers", "1", "--set", "learning_rate=0.1"]
    monkeypatch.setattr(sys, "argv", ["metaopt", *command])
    assert main(command) == 0
    said = capsys.readouterr()
    assert said.out == "page: mine/report.html\n"
    assert "finished parts are kept in mine; the same command goes on from there" in said.err
    assert "10 of 10 parts" in said.err
    files = read(Path("mine"))
    page = files["README.md"].decode()
    assert shlex.split(page.splitlines()[0].strip("`")) == ["metaopt", *command]
    assert parse(commands.build(), command).handler == "metaopt.cli.correlate:correlate"
    record = json.loads(files["correlation.json"])
    assert record["study"]["config"]["learning_rate"] == 0.1
    assert record["study"]["at"] == [1]
    assert record["versions"]["torch"]
    assert record["host"]["cores"]
    Path("mine/report.html").unlink()
    assert main(command) == 0
    assert read(Path("mine")) == files


@pytest.mark.usefixtures("_made_up")
def test_a_folder_has_a_name_without_being_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND[:-2], "--at", "1", "--epochs", "3", "--workers", "1"]) == 0
    assert capsys.readouterr().out == "page: runs/correlate-darts-digits1/report.html\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--optimizer", "drats"], "unknown one-shot optimizer 'drats'; did you mean 'darts'?"),
        (["--benchmark", "digit"], "unknown benchmark 'digit'; did you mean 'digits'?"),
        (["--benchmark", "nasbench101"], "no table of benchmark 'nasbench101' for cell space 1"),
        (["--cell-space", "4"], "cell_space must be 1, 2 or 3, got 4"),
        (["--epochs", "0"], "epochs must be in [1, 1000000], got 0"),
        (["--seeds", "0"], "seeds must be in [1, 10000], got 0"),
        (["--sample", "1"], "sample must be at least 2, got 1"),
        (["--workers", "0"], "workers is 0; allowed: 1 or more"),
        (["--at", "5,x"], "at is '5,x'; allowed: epochs with commas between them"),
        (["--at", ""], "at is ''; allowed: epochs with commas between them"),
        (["--at", "5"], "at is '5'; allowed: ascending epochs from 1 to the 1 of the search"),
        (["--device", "gpu"], "device 'gpu' is not there"),
        (["--set", "batch_size=400"], "batch_size 400 does not fit"),
        (["--set", "momentm=1"], "unknown hyperparameter 'momentm'; did you mean 'momentum'?"),
        (["--layers", "30"], "metaopt correlate does not take '--layers'"),
    ],
)
def test_mistakes_cost_nothing(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "\n  " in said, "it says no next step"
    assert not Path("mine").exists()


@pytest.mark.usefixtures("_made_up")
def test_a_folder_with_another_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--workers", "1"]) == 0
    assert main([*COMMAND, "--seeds", "2"]) == 2
    assert "mine holds a ranking study with seeds 1 and not 2" in capsys.readouterr().err


@pytest.mark.slow
def test_a_search_that_diverges_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "learning_rate=1e30", "--set", "grad_clip=1e30", "--epochs", "3"]
    assert main([*COMMAND, *settings, "--workers", "2"]) == 2
    assert "the search with seed 0 fails: the training loss is" in capsys.readouterr().err


@pytest.mark.slow
def test_interrupted_and_gone_on_with() -> None:
    run = [sys.executable, "-m", "metaopt", *COMMAND, "--workers", "2"]
    driver = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    harness.wait_until(lambda: list(Path().glob("mine/*.parquet")) or driver.poll() is not None, "a part of it")
    assert driver.poll() is None
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    out, err = driver.communicate(timeout=harness.HANG_S)
    assert driver.returncode == 130
    assert out.startswith("interrupted; go on with: ")
    assert "Traceback" not in err
    finished = read(Path("mine"))
    again = subprocess.run(run, capture_output=True, text=True, check=True)
    assert again.stdout == "page: mine/report.html\n"
    after = read(Path("mine"))
    assert all(after[name] == content for name, content in finished.items())
    assert json.loads(after["correlation.json"])["same_weights"]
