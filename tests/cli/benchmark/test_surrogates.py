from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from metaopt.cells.space import CELL_SPACES, CellSpace
from metaopt.cli import main
from metaopt.core.seeds import stream
from metaopt.surrogates.forest import Forest
from metaopt.tables.card import load_card
from metaopt.tables.files import find_predictions, find_table, making
from metaopt.tables.predictions import Predictions
from metaopt.tables.schema import write_table


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """150 cells of digits, a dozen cells to predict, and small forests."""
    rows = pq.read_table(find_table(load_card("digits"), 1))
    hashes = np.array(rows["cell_hash"].to_pylist())
    chosen = stream(2, "cells of tests").permutation(np.unique(hashes))[:150]
    write_table(tmp_path / "few-1.parquet", rows.filter(np.isin(hashes, chosen)), {})
    monkeypatch.setitem(CELL_SPACES, 1, CellSpace("tiny", (1, 1, 2)))
    monkeypatch.setattr(Forest, "epochs", 8)
    monkeypatch.setattr(Forest, "min_epochs", 2)
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path / "home"))
    return tmp_path / "few-1.parquet"


def test_a_table_is_fitted_judged_and_predicted(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["benchmark", "fit-surrogate", str(table), "--models", "forest", "--members", "2", "--tune", "3"]
    command += ["--table1", "--threads", "1", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    out, err = capsys.readouterr()
    predictions = Predictions(tmp_path / "out" / "few-1.surrogate.parquet")
    assert f"predictions: {predictions.path}\n" in out
    assert (tmp_path / "out" / "README.md").read_text(encoding="utf-8") in out
    assert predictions.after == {1, 2, 4}
    judged = {(entry["epochs"], entry["cells"]) for entry in predictions.provenance["judgments"]}
    groups = {cells for _, cells in judged}
    assert judged == {(epochs, cells) for epochs in (1, 2, 4, 8) for cells in groups}
    assert {"held out", "wirings"} <= groups
    without = 2 * 4 * (len(groups) - 1)
    for line in (
        "3 of 3 trials",
        "8 of 8 members, about 0 s left",
        f"{without} of {without} members without a kind of cells",
        "6 of 6 members of single trainings",
    ):
        assert line in err
    record = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert record == predictions.provenance
    assert record["metrics"]["forest"]["valid_error"]["mae"] < 0.1
    assert (record["training_cells"], record["held_out_cells"], record["models"]) == (135, 15, ["forest"])
    assert record["hyperparameters"]["forest"] == record["tuned"]["forest"]["config"]
    assert len(record["table1"]["repeats"]) == 3
    assert record["versions"]["lightgbm"]
    assert len(predictions) == len(CELL_SPACES[1].distinct_graphs())


def test_fewer_epochs_are_predicted_if_asked_for(table: Path, tmp_path: Path) -> None:
    command = ["benchmark", "fit-surrogate", str(table), "--models", "forest", "--members", "2", "--threads", "1"]
    assert main([*command, "--epochs", "8", "2", "--out", str(tmp_path / "out")]) == 0
    predictions = Predictions(tmp_path / "out" / "few-1.surrogate.parquet")
    assert predictions.after == {2}
    assert predictions.provenance["epochs"] == [2, 8]


@pytest.mark.parametrize("epochs", [["4"], ["3", "8"]])
def test_epochs_that_cannot_be_predicted(
    table: Path, tmp_path: Path, epochs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["benchmark", "fit-surrogate", str(table), "--out", str(tmp_path / "out"), "--epochs", *epochs]
    assert main(command) == 2
    assert f"epochs is {', '.join(epochs)}; the table has 1, 2, 4, 8, and the last" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_of_two_fits_to_one_name_one_is_refused(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "few-1.surrogate.parquet"
    out.parent.mkdir()
    with making(out):
        assert main(["benchmark", "fit-surrogate", str(table), "--models", "forest", "--out", str(out.parent)]) == 2
    assert f"is making {out} right now" in capsys.readouterr().err
    assert list(out.parent.iterdir()) == []


def test_a_repeated_command_fits_nothing_again(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["benchmark", "fit-surrogate", str(table), "--models", "forest", "--members", "2", "--threads", "1"]
    command += ["--out", str(tmp_path)]
    assert main(command) == 0
    first = (tmp_path / "few-1.surrogate.parquet").read_bytes()
    monkeypatch.setattr(Forest, "fit", lambda *args, **kwargs: pytest.fail("a kept model is fitted again"))
    assert main(command) == 0
    assert (tmp_path / "few-1.surrogate.parquet").read_bytes() == first


def test_predictions_of_a_benchmark_go_where_its_tables_are(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["benchmark", "fit-surrogate", "digits", "--models", "forest", "--members", "2", "--threads", "1"]
    assert main(command) == 0
    path = tmp_path / "home" / "tables" / "digits-1.surrogate.parquet"
    assert f"predictions: {path}\n" in capsys.readouterr().out
    assert find_predictions(load_card("digits"), 1) == path
    assert (tmp_path / "home" / "surrogates" / "digits-1" / "models" / "forest-1").is_dir()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "unknown benchmark 'nowhere'"),
        (["nowhere.parquet"], "there is no table nowhere.parquet"),
        (["digits", "--models", "lbg"], "unknown surrogate 'lbg'; did you mean 'lgb'"),
        (["digits", "--models", "lgb,lgb"], "models is 'lgb,lgb'; allowed: distinct ones of"),
        (["digits", "--models", ","], "models is ','"),
        (["digits", "--members", "1"], "members is 1; allowed: 2 or more"),
        (["digits", "--tune", "-1"], "tune is -1; allowed: 0 or more"),
        (["digits", "--threads", "0"], "threads is 0; allowed: 1 or more"),
        (["digits", "--found", "nowhere"], "there is no run folder nowhere"),
    ],
)
def test_mistakes(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["benchmark", "fit-surrogate", *arguments, "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_missing_package_is_a_mistake_of_the_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    assert main(["benchmark", "fit-surrogate", "digits", "--models", "xgb", "--out", str(tmp_path / "out")]) == 2
    assert "install metaopt with its extra surrogates" in capsys.readouterr().err
