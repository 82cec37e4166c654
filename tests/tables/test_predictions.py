from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.cells.graph import CellGraph
from metaopt.core.errors import TableError
from metaopt.tables.predictions import PREDICTIONS, Prediction, Predictions, columns_after, write_predictions

FORK = CellGraph.from_key("110011:conv1x1:conv3x3")
TWIN = CellGraph.from_key("110011:conv3x3:conv1x1")
CHAIN = CellGraph.from_key("111:conv3x3")


def rows(**changes: float) -> pa.Table:
    values = {"valid_error": 0.25, "valid_error_std": 0.125, "test_error": 0.5, "test_error_std": 0.0625, **changes}
    return pa.Table.from_pylist([{"cell": g.key, "cell_hash": g.hash, **values} for g in (FORK, CHAIN)])


def test_every_cell_is_answered_and_isomorphic_ones_alike(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.parquet", rows(), {"members": 5})
    predictions = Predictions(tmp_path / "p.parquet")
    assert (len(predictions), predictions.provenance) == (2, {"members": 5})
    assert predictions.query(TWIN) == predictions.query(CHAIN) == Prediction(0.25, 0.125, 0.5, 0.0625)
    assert sorted(predictions.hashes.tolist()) == predictions.hashes.tolist()


def test_five_decimals_are_kept(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.parquet", rows(valid_error=0.123454, test_error=0.000016), {})
    predicted = Predictions(tmp_path / "p.parquet").query(CHAIN)
    assert predicted.valid_error == pytest.approx(0.12345, abs=1e-8)
    assert predicted.test_error == pytest.approx(0.00002, abs=1e-8)


def test_a_cell_without_a_prediction_is_refused(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.parquet", rows(), {})
    with pytest.raises(TableError, match="have none of the cell 1\n"):
        Predictions(tmp_path / "p.parquet").query(CellGraph.from_key("1"))


@pytest.mark.parametrize("error", [1.5, -0.1, float("nan")])
def test_impossible_values_are_refused(tmp_path: Path, error: float) -> None:
    write_predictions(tmp_path / "p.parquet", rows(test_error=error), {})
    with pytest.raises(TableError, match=r"not in \[0, 1\]"):
        Predictions(tmp_path / "p.parquet")


def test_other_files_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "p.parquet")
    with pytest.raises(TableError, match="have the columns a; needed: cell, cell_hash, valid_error"):
        Predictions(tmp_path / "p.parquet")
    (tmp_path / "p.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(TableError, match="is damaged"):
        Predictions(tmp_path / "p.parquet")


def test_predictions_after_fewer_epochs_stand_beside_the_last(tmp_path: Path) -> None:
    whole = rows()
    for epochs, value in ((4, 0.75), (12, 0.625)):
        for name in columns_after(epochs):
            whole = whole.append_column(name, pa.array([value] * 2))
    write_predictions(tmp_path / "p.parquet", whole, {})
    predictions = Predictions(tmp_path / "p.parquet")
    assert predictions.after == {4, 12}
    assert predictions.query(CHAIN) == Prediction(0.25, 0.125, 0.5, 0.0625)
    assert predictions.query(CHAIN, 12) == Prediction(0.625, 0.625, 0.625, 0.625)
    with pytest.raises(TableError, match="have none after 36 epochs"):
        predictions.query(CHAIN, 36)


def test_a_file_of_an_earlier_version_knows_the_last_epochs_only(tmp_path: Path) -> None:
    types = [("cell", pa.string()), ("cell_hash", pa.string()), *((name, pa.float32()) for name in PREDICTIONS[2:])]
    pq.write_table(rows().sort_by("cell_hash").cast(pa.schema(types)), tmp_path / "p.parquet")
    predictions = Predictions(tmp_path / "p.parquet")
    assert predictions.after == set()
    assert predictions.query(CHAIN).valid_error == 0.25


@pytest.mark.parametrize("name", ["valid_error_after_4", "valid_error_after_04", "cost_s"])
def test_columns_that_are_not_whole_are_refused(tmp_path: Path, name: str) -> None:
    write_predictions(tmp_path / "p.parquet", rows().append_column(name, pa.array([0.5, 0.5])), {})
    with pytest.raises(TableError, match=f"have the columns .*{name}; needed: cell, cell_hash"):
        Predictions(tmp_path / "p.parquet")


def test_a_digest_is_of_all_that_is_predicted(tmp_path: Path) -> None:
    def digest(table: pa.Table) -> str:
        write_predictions(tmp_path / "p.parquet", table, {"command": str(len(table.schema))})
        return Predictions(tmp_path / "p.parquet").digest

    whole = rows()
    for name in columns_after(4):
        whole = whole.append_column(name, pa.array([0.5, 0.5]))
    assert digest(rows()) == digest(rows())
    found = {digest(rows()), digest(rows(test_error_std=0.5)), digest(rows().slice(1)), digest(whole)}
    changed = whole.set_column(
        whole.schema.names.index("test_error_after_4"), "test_error_after_4", pa.array([0.5, 0.25])
    )
    assert len(found | {digest(changed)}) == 5
