"""Every format holds every trial of every run: one line each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import optuna
import pyarrow.parquet as pq
import pytest

from metaopt.report import EXPORTERS
from metaopt.report.data.load import load_runs
from metaopt.report.export.files import export
from optuna_files import opened


def optuna_trials(file: Path) -> int:
    with opened(file) as storage:
        return sum(summary.n_trials for summary in optuna.get_all_study_summaries(storage))


TRIALS = {
    "csv": lambda file: len(list(csv.DictReader(io.StringIO(file.read_text())))),
    "json": lambda file: sum(len(run["trials"]) for run in json.loads(file.read_text())["runs"]),
    "optuna": optuna_trials,
    "parquet": lambda file: pq.read_table(file).num_rows,
}


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_trial_is_there(name: str, make_run: Callable[..., Path], tmp_path: Path) -> None:
    folders = [make_run("a", n=5), make_run("b", n=16)]
    runs = load_runs(folders)
    confirming = 0 if name == "optuna" else sum(len(run.confirmed) for run in runs)
    file = export(folders, name, tmp_path / "file")
    assert TRIALS[name](file) == sum(len(run.evaluations) for run in runs) + confirming == 21 + confirming
