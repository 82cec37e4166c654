from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.report.data.load import load_run
from metaopt.report.export.table import COLUMNS, to_csv, to_parquet, trial_table


def test_parquet_gives_the_table_back(make_run: Callable[..., Path]) -> None:
    table = trial_table([load_run(make_run(n=15))])
    assert pq.read_table(io.BytesIO(to_parquet(table))).equals(table)


def test_csv_gives_the_same_numbers_back(make_run: Callable[..., Path]) -> None:
    table = trial_table([load_run(make_run(n=15))])
    rows = list(csv.DictReader(io.StringIO(to_csv(table).decode())))
    assert len(rows) == table.num_rows == 15 + 6
    for name in ("valid_error", "config.learning_rate", "told_at_s"):
        assert [float(row[name]) if row[name] else None for row in rows] == table[name].to_pylist()


def test_a_row_says_everything_of_its_trial(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    info = {"cell": "1", "cell_hash": "abc", "one_shot_error": 0.4, "predicted": True}
    answers = [
        answer(0, 0.3, 0.25, epochs=9, config={"x": 2}, info=info, trained=21),
        answer(1, None),
        answer(2, None, reason="NaN"),
    ]
    folder = write_run(answers, objective={"optimum_valid_error": 0.1, "optimum_test_error": 0.05})
    first, waiting, failed = trial_table([load_run(folder)]).to_pylist()
    assert first == {
        "run": "run",
        "phase": "tune",
        "trial_id": 0,
        "key": 0,
        "epochs": 9,
        "charged_epochs": 21,
        "seed": 100,
        "status": "ok",
        "reason": "",
        "predicted": True,
        "valid_error": 0.3,
        "test_error": 0.25,
        "final_valid_error": 0.3,
        "final_test_error": 0.25,
        "valid_regret": pytest.approx(0.2),
        "test_regret": pytest.approx(0.2),
        "one_shot_error": 0.4,
        "cell": "1",
        "cell_hash": "abc",
        "cost_s": 1.5,
        "cpu_s": None,
        "asked_at_s": 0.0,
        "told_at_s": 1.0,
        "config.x": 2,
    }
    assert (waiting["status"], waiting["valid_error"], waiting["told_at_s"]) == ("unfinished", None, None)
    assert (failed["status"], failed["reason"], failed["valid_regret"]) == ("crashed", "NaN", None)


@pytest.mark.parametrize(
    ("values", "kind", "kept"),
    [
        ([1, 2], pa.int64(), [1, 2]),
        ([1, 0.5], pa.float64(), [1.0, 0.5]),
        ([True, False], pa.bool_(), [True, False]),
        ([True, 1], pa.string(), ["True", "1"]),
        (["a", 2], pa.string(), ["a", "2"]),
    ],
)
def test_columns_of_hyperparameters_take_the_narrowest_type(
    write_run: Callable[..., Path],
    answer: Callable[..., object],
    values: list[object],
    kind: pa.DataType,
    kept: list[object],
) -> None:
    answers = [answer(i, 0.1, config={"x": value}) for i, value in enumerate(values)]
    column = trial_table([load_run(write_run(answers))])["config.x"]
    assert (column.type, column.to_pylist()) == (kind, kept)


def test_no_trials_still_make_a_table(write_run: Callable[..., Path]) -> None:
    table = trial_table([load_run(write_run([]))])
    assert table.num_rows == 0
    assert table.column_names == list(COLUMNS)
