"""The command with real searches at the smallest scale."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from metaopt.cli import main
from metaopt.core.wording import counted

SMALL = ["search", "--channels", "4", "--cells", "3", "--epochs", "2", "--device", "cpu", "--optimizer"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_search_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "gdas", "--seed", "3", "--set", "learning_rate=0.1", "--set", "eigenvalue_every=2"]) == 0
    said = capsys.readouterr()
    folder = Path("runs/search-gdas-digits1-s3")
    record = json.loads((folder / "search.json").read_text())
    columns = json.loads((folder / "trajectory.json").read_text())
    lines = said.err.splitlines()
    assert lines[0] == f"search folder: {folder}"
    assert lines[1].startswith("epoch 1/2: train loss ")
    assert "table regret" in lines[1]
    assert f"eigenvalue {columns['eigenvalue'][1]:.3g}" in lines[2]
    assert "finished: 2 epochs in " in said.out
    assert f"  hash            {record['result']['info']['cell_hash']}" in said.out
    assert f"rank {record['rank']} of 2685" in said.out
    assert f"trajectory: {folder}/trajectory.json\nreport: {folder}/report/report.html\n" in said.out
    assert (folder / "report" / "figures" / "epochs.svg").is_file()
    assert record["run"]["config"]["learning_rate"] == 0.1
    assert record["run"]["config"]["temperature_start"] == 10.0


def test_a_name_that_is_taken_is_not_used_again(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs/search-darts-digits1-s0").mkdir(parents=True)
    assert main([*SMALL, "darts", "--epochs", "1"]) == 0
    said = capsys.readouterr()
    assert "search folder: runs/search-darts-digits1-s0-2\n" in said.err
    assert said.out.startswith("finished: 1 epoch in ")


def test_what_happened_in_a_search_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "selection=perturbation", "--set", "projection_epochs=1"]
    assert main([*SMALL, "darts", "--epochs", "1", *settings, "--out", "mine"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("finished: 7 epochs (asked: 1) in ")
    assert "\n  epoch 1: selection of the final cell begins\n" in said.out
    assert said.err.splitlines()[2] == "  selection of the final cell begins"
    page = Path("mine/report/report.html").read_text()
    assert "<dd>7 (asked: 1)</dd>" in page
    assert "Epoch 1: selection of the final cell begins." in page
    assert "overfits" not in page


def test_optimizers_whose_pick_is_costly_are_looked_at_every_epoch_too() -> None:
    arguments = [*SMALL, "randomws", "--set", "candidates=5", "--set", "finalists=2"]
    assert main([*arguments, "--out", "mine"]) == 0
    assert None not in json.loads(Path("mine/trajectory.json").read_text())["cell"]
    assert main([*arguments, "--set", "cell_every=0", "--out", "other"]) == 0
    assert json.loads(Path("other/trajectory.json").read_text())["cell"][0] is None


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["dart"], ["unknown one-shot optimizer 'dart'; did you mean 'darts'?"]),
        (["gdas", "--set", "lerning_rate=1"], ["unknown hyperparameter 'lerning_rate'; did you mean 'learning_rate'?"]),
        (["gdas", "--set", "batch_size=many"], ["batch_size must be a whole number, got 'many'"]),
        (["gdas", "--set", "batch_size"], ["--set takes NAME=VALUE, got 'batch_size'"]),
        (["gdas", "--set", "batch_size=400"], ["batch_size 400 does not fit", "choose a batch_size in [2, 350]"]),
        (["gdas", "--set", "temperature_start=0"], ["temperature_start must be more than 0, got 0.0"]),
        (["gdas", "--set", "cutout_prob=0.5"], ["cutout_prob has no effect: it counts only where cutout == True"]),
        (["pcdarts", "--set", "partial_channels=3"], ["does not divide the supernet's 4 channels", "from 1, 2, 4"]),
        (["darts", "--space", "gdas"], ["unknown hyperparameter"]),
        (["darts", "--space", "dats"], ["unknown space 'dats'; did you mean 'darts'?"]),
        (["darts", "--epochs", "0"], ["epochs must be at least 1, got 0"]),
        (["darts", "--device", "tpu"], ["device 'tpu' is not there"]),
        (["darts", "--benchmark", "digit"], ["unknown benchmark 'digit'; did you mean 'digits'?"]),
    ],
)
def test_a_mistake_is_explained(arguments: list[str], messages: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("metaopt: error: ")
    assert "\n  " in said.err, "it says no next step"
    assert [message for message in messages if message not in said.err] == []
    assert not Path("runs").exists()


def test_a_search_that_diverges_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "darts", "--set", "learning_rate=1e30", "--out", "mine"]) == 2
    said = capsys.readouterr()
    assert "metaopt: error: the search diverged: the training loss is nan in epoch 1 of 2\n" in said.err
    assert "lower --set learning_rate=... or --set arch_learning_rate=...; " in said.err
    assert "Traceback" not in said.err
    assert json.loads(Path("mine/trajectory.json").read_text()) == {}
    assert json.loads(Path("mine/search.json").read_text())["result"]["status"] == "crashed"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_there_is_is_kept_when_interrupted(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "metaopt", *SMALL, "darts", "--epochs", "5000", "--out", "mine"]
    with subprocess.Popen(
        command, env=harness.environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            path = Path("mine/trajectory.json")
            harness.wait_until(lambda: path.exists() and "epoch" in path.read_text(), "the first epoch")
            process.send_signal(number)
            out, err = process.communicate(timeout=harness.HANG_S)
        finally:
            process.kill()
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    columns = json.loads(path.read_text())
    trained = len(columns["epoch"])
    assert {len(values) for values in columns.values()} == {trained}
    assert out.startswith(
        f"interrupted after {counted(trained, 'epoch')}\ntrajectory: mine/trajectory.json\nreport: mine/report"
    )
    assert json.loads(Path("mine/search.json").read_text())["result"]["status"] == "stopped"
    assert Path("mine/report/report.html").is_file()
