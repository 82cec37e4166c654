from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError
from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Result, Trial
from metaopt.objectives.oneshot import OneShot
from metaopt.objectives.trajectory import TrajectoryEpoch
from metaopt.oneshot.train import SearchDivergedError
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.schema import write_table
from metaopt.tables.table import Table


@pytest.fixture(scope="module")
def objective() -> OneShot:
    return OneShot(optimizer="darts", benchmark="digits", cell_space=1, channels=4)


def trial(epochs: int = 3, **config: float) -> Trial:
    return Trial(id=4, key=4, config=config, epochs=epochs, seed=seed_integer(0, 4, "trial"))


def test_the_result_is_the_table_s_truth_of_the_last_cell(objective: OneShot, tmp_path: Path) -> None:
    result = objective.evaluate(trial(), tmp_path)
    assert (result.trial_id, result.status) == (4, "ok")
    graph = CellGraph.from_key(result.info["cell"])
    entry = Table(find_table(load_card("digits"), 1)).query(graph)
    assert result.valid_error == pytest.approx(sum(entry.valid_errors) / 3)
    assert result.test_error == pytest.approx(sum(entry.test_errors) / 3)
    assert result.info["cell_hash"] == graph.hash
    assert result.info["predicted"] is False
    trajectory = result.info["trajectory"]
    assert {len(values) for values in trajectory.values()} == {3}
    assert trajectory["cell"][-1] == graph.key
    assert trajectory["one_shot_error"][-1] == pytest.approx(result.info["one_shot_error"], abs=1e-6)
    kept = json.loads((tmp_path / "trajectory.json").read_text())
    assert len(kept["arch"]) == 3
    assert {name: kept[name] for name in trajectory} == trajectory
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_search_that_ends_early_leaves_the_epochs_it_had(objective: OneShot, tmp_path: Path) -> None:
    def end(epoch: TrajectoryEpoch) -> None:
        if epoch.epoch == 2:
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        objective.evaluate(trial(), tmp_path, end)
    kept = json.loads((tmp_path / "trajectory.json").read_text())
    assert kept["epoch"] == [1, 2]
    assert len(kept["arch"]) == len(kept["test_error"]) == 2


def test_a_search_that_diverges_says_so(objective: OneShot, tmp_path: Path) -> None:
    with pytest.raises(SearchDivergedError, match="the training loss is nan in epoch 1 of 3"):
        objective.evaluate(trial(learning_rate=1e30), tmp_path)
    assert json.loads((tmp_path / "trajectory.json").read_text()) == {}


def test_an_evaluation_repeats_itself(objective: OneShot, tmp_path: Path) -> None:
    first, second = (objective.evaluate(trial(), tmp_path) for _ in range(2))
    assert first.info == second.info
    assert first.valid_error == second.valid_error


def test_description(objective: OneShot) -> None:
    description = json.loads(json.dumps(objective.describe()))
    assert description["table"] == {"cells": len(CELL_SPACES[1].distinct_graphs()), "seeds": 3, "epochs": [1, 2, 4, 8]}
    assert description["scale"] == {"channels": 4, "cells": 3, "batch_norm": "recalibrated"}
    assert set(description["digests"]) == {"card", "table", "images"}
    fewer = OneShot(optimizer="darts", benchmark="digits", cell_space=1, channels=4, subset=100).describe()["digests"]
    assert {name for name, digest in fewer.items() if digest != description["digests"][name]} == {"images"}
    assert 0 < description["optimum_valid_error"] < 0.05
    assert 0 < description["optimum_test_error"] < 0.05


def test_names_are_checked_when_it_is_built() -> None:
    with pytest.raises(ConfigError, match="unknown one-shot optimizer 'dart'; did you mean 'darts'"):
        OneShot(optimizer="dart", benchmark="digits", cell_space=1)
    with pytest.raises(ConfigError, match="unknown benchmark 'digit'"):
        OneShot(optimizer="darts", benchmark="digit", cell_space=1)
    with pytest.raises(ConfigError, match="cell_space must be 1, 2 or 3, got 9"):
        OneShot(optimizer="darts", benchmark="digits", cell_space=9)


def test_what_was_trained_beyond_the_trial_is_charged(tmp_path: Path) -> None:
    objective = OneShot(optimizer="darts", benchmark="digits", cell_space=1, channels=4, cells=3)
    config = {"selection": "perturbation", "projection_epochs": 1}
    result = objective.evaluate(Trial(0, 0, config, epochs=1, seed=0), tmp_path)
    # Seven choices of space 1 are decided one after the other; after all but the last the rest trains on.
    assert result.epochs == len(result.info["trajectory"]["train_loss"]) == 1 + 6
    assert result.info["selection_sweeps"] == result.info["trajectory"]["sweeps"][-1] == 34
    assert result.info["notes"] == ["epoch 1: selection of the final cell begins"]
    assert result.cpu_s is not None
    assert result.cpu_s > 0
    assert objective.evaluate(Trial(0, 0, {}, epochs=1, seed=0), tmp_path).epochs is None


def test_how_often_one_looks_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = trial(3, arch_learning_rate=0.1, learning_rate=0.1)
    whole = OneShot(optimizer="darts", benchmark="digits", cell_space=1, channels=4).evaluate(asked, tmp_path)
    on_the_way = set(whole.info["trajectory"]["cell"][:-1]) - {whole.info["cell"]}
    assert on_the_way, "the case needs a search that changes its mind"
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    for folder in ("cards", "tables", "a", "b"):
        (tmp_path / folder).mkdir()
    card = dict(load_card("digits").text)
    (tmp_path / "cards" / "few.yaml").write_text(
        yaml.safe_dump({**card, "name": "few", "table": "few-{space}.parquet"})
    )
    rows = pq.read_table(find_table(load_card("digits"), 1))
    keys = pa.array([CellGraph.from_key(key).key for key in on_the_way])
    write_table(tmp_path / "tables" / "few-1.parquet", rows.filter(pc.invert(pc.is_in(rows["cell"], keys))), {})
    few = OneShot(optimizer="darts", benchmark="few", cell_space=1, channels=4, unknown="refuse")
    seldom = replace(asked, config={**asked.config, "cell_every": 0})
    always, last = few.evaluate(asked, tmp_path / "a"), few.evaluate(seldom, tmp_path / "b")
    assert (always.valid_error, always.info["cell"]) == (last.valid_error, last.info["cell"])
    assert (always.valid_error, always.info["cell"]) == (whole.valid_error, whole.info["cell"])
    assert None in always.info["trajectory"]["valid_error"]
    assert always.info["trajectory"]["cell"] == whole.info["trajectory"]["cell"]
