"""All trials as one flat table: CSV and Parquet with the same rows and columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from metaopt.report.curves import regret
from metaopt.report.load import Evaluation, RunData
from metaopt.report.numbers import significant

#: Fixed columns and their types; hyperparameters follow as ``config.NAME``.
COLUMNS = {
    "run": pa.string(),
    "phase": pa.string(),
    "trial_id": pa.int64(),
    "key": pa.int64(),
    "epochs": pa.int64(),
    "charged_epochs": pa.int64(),
    "seed": pa.int64(),
    "status": pa.string(),
    "reason": pa.string(),
    "predicted": pa.bool_(),
    "valid_error": pa.float64(),
    "test_error": pa.float64(),
    "final_valid_error": pa.float64(),
    "final_test_error": pa.float64(),
    "valid_regret": pa.float64(),
    "test_regret": pa.float64(),
    "one_shot_error": pa.float64(),
    "cell": pa.string(),
    "cell_hash": pa.string(),
    "cost_s": pa.float64(),
    "cpu_s": pa.float64(),
    "asked_at_s": pa.float64(),
    "told_at_s": pa.float64(),
}


def trial_table(runs: Sequence[RunData]) -> pa.Table:
    """Returns every trial of every run, the confirmation's with ``phase`` ``confirm``; null is: there is none.

    ``status`` is ``unfinished`` where an answer is missing. Errors and regrets are in [0, 1], ``*_s`` in seconds. What
    is final, and regret with it, is of the cell after all epochs, whatever the epochs of the trial.
    """
    rows = [
        _row(run, phase, evaluation)
        for run in runs
        for phase, evaluations in (("tune", run.evaluations), ("confirm", run.confirmed))
        for evaluation in evaluations
    ]
    names = sorted({name for row in rows for name in row if name not in COLUMNS})
    types = COLUMNS | {name: _type([row.get(name) for row in rows]) for name in names}
    arrays = []
    for name, kind in types.items():
        values = [row.get(name) for row in rows]
        as_text = pa.types.is_string(kind)
        arrays.append(pa.array([None if v is None else str(v) if as_text else v for v in values], kind))
    return pa.Table.from_arrays(arrays, names=list(types))


def _row(run: RunData, phase: str, evaluation: Evaluation) -> dict[str, Any]:
    trial, result = evaluation.trial, evaluation.result
    row = {
        "run": run.name,
        "phase": phase,
        "trial_id": trial.id,
        "key": trial.key,
        "epochs": trial.epochs,
        "charged_epochs": evaluation.charged_epochs,
        "seed": trial.seed,
        "status": result.status if result else "unfinished",
        "reason": result.reason if result else None,
        "predicted": bool(evaluation.info.get("predicted")) if result else None,
        "valid_error": evaluation.valid_error,
        "test_error": evaluation.test_error,
        "final_valid_error": evaluation.final_valid_error,
        "final_test_error": evaluation.final_test_error,
        "valid_regret": _regret(evaluation.final_valid_error, run.optimum_valid_error),
        "test_regret": _regret(evaluation.final_test_error, run.optimum_test_error),
        "one_shot_error": evaluation.one_shot_error,
        "cell": evaluation.info.get("cell"),
        "cell_hash": evaluation.info.get("cell_hash"),
        "cost_s": result.cost_s if result else None,
        "cpu_s": result.cpu_s if result else None,
        "asked_at_s": evaluation.asked_s,
        "told_at_s": evaluation.told_s,
        **{f"config.{name}": value for name, value in trial.config.items()},
    }
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}


def _regret(error: float, optimum: float | None) -> float | None:
    return None if optimum is None or math.isnan(error) else significant(regret(error, optimum))


def _type(values: Sequence[Any]) -> pa.DataType:
    """Returns the narrowest type that holds all values; booleans are no numbers, what is mixed becomes text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def to_csv(table: pa.Table) -> bytes:
    """Returns ``table`` as CSV in UTF-8: numbers in full precision, null as an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue().encode("utf-8")


def to_parquet(table: pa.Table) -> bytes:
    """Returns ``table`` as Parquet."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
