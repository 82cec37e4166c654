"""All trials as one flat table: CSV and Parquet with the same rows and columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.document.numbers import significant
from metaopt.report.stats.curves import regret

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
        row(run, phase, evaluation)
        for run in runs
        for phase, evaluations in (("tune", run.evaluations), ("confirm", run.confirmed))
        for evaluation in evaluations
    ]
    names = sorted({name for row in rows for name in row if name not in COLUMNS})
    kinds = {name: {type(value) for one in rows if (value := one.get(name)) is not None} for name in names}
    schema = pa.schema(COLUMNS | {name: type_of(found) for name, found in kinds.items()})
    return pa.Table.from_arrays([column(rows, field) for field in schema], schema=schema)


def column(rows: Sequence[Mapping[str, Any]], field: pa.Field) -> pa.Array:
    """Returns one column of some rows."""
    values, as_text = [one.get(field.name) for one in rows], pa.types.is_string(field.type)
    return pa.array([None if v is None else str(v) if as_text else v for v in values], field.type)


def row(run: RunData, phase: str, evaluation: Evaluation) -> dict[str, Any]:
    """Returns what :func:`trial_table` says of a trial, by the names of its columns."""
    trial, result = evaluation.trial, evaluation.result
    values = {
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
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}


def _regret(error: float, optimum: float | None) -> float | None:
    return None if optimum is None or math.isnan(error) else significant(regret(error, optimum))


def type_of(kinds: Collection[type]) -> pa.DataType:
    """Returns the narrowest type that holds values of these; booleans are no numbers, what is mixed becomes text."""
    kinds = set(kinds)
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def to_csv(table: pa.Table) -> bytes:
    """Returns ``table`` as CSV in UTF-8: numbers in full precision, null as an empty field."""
    text = io.StringIO()
    write_csv_rows(text, table.column_names, [table])
    return text.getvalue().encode("utf-8")


def write_csv_rows(text: TextIO, names: Sequence[str], batches: Iterable[pa.Table]) -> None:
    """Writes a line of names, and one for every row of tables that have these columns."""
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for batch in batches:
        writer.writerows(zip(*(values.to_pylist() for values in batch.columns), strict=True))


def to_parquet(table: pa.Table) -> bytes:
    """Returns ``table`` as Parquet."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
