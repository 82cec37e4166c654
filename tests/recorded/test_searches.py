from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.core.errors import TableError
from metaopt.recorded.searches import SCHEMA, RecordedSearch, RecordedSearches, canonical, write_searches

SEARCH = RecordedSearch(
    optimizer="darts",
    space="darts",
    config={"learning_rate": 0.0459425182011, "batch_size": 58, "cutout": False, "hessian": "exact", "decay": 1e-05},
    epochs=3,
    seed=4294967295,
    one_shot_error=(0.571429, 0.474286, None),
    cell=("111:maxpool3x3", None, "111:conv3x3"),
    valid_error=(0.096667, None, 0.016667),
    test_error=(0.099944, None, 1.0),
    cost_s=14.796,
    source="tuned/darts-bohb-s0/confirm",
)


def test_what_is_read_is_what_was_written_to_the_last_digit(tmp_path: Path) -> None:
    searches = [SEARCH, replace(SEARCH, optimizer="enas", config={"grad_clip": 5.0}, seed=0), replace(SEARCH, seed=7)]
    write_searches(tmp_path / "s.parquet", searches, {"command": "mine", "left_out": {"failed": 3}})
    read = RecordedSearches(tmp_path / "s.parquet")
    found = list(read)
    assert found == [searches[2], searches[0], searches[1]]
    assert [type(value) for value in found[0].config.values()] == [int, bool, float, str, float]
    assert type(found[2].config["grad_clip"]) is float
    assert read.provenance == {"command": "mine", "left_out": {"failed": 3}}
    assert len(read) == 3


def test_the_order_of_searches_does_not_matter(tmp_path: Path) -> None:
    searches = [replace(SEARCH, seed=seed, epochs=epochs) for seed in range(3) for epochs in (3, 4)]
    for name, given in (("a", searches), ("b", searches[::-1])):
        write_searches(tmp_path / name, given, {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_configuration_is_the_same_text_in_any_order() -> None:
    assert canonical({"b": 1, "a": 0.1}) == canonical({"a": 0.1, "b": 1}) == '{"a":0.1,"b":1}'
    assert canonical({"a": 1}) != canonical({"a": 1.0})


def test_two_thousand_searches_are_small(tmp_path: Path) -> None:
    epochs = {"cell": ("111:conv3x3",) * 16, "valid_error": (0.1,) * 16, "test_error": (0.2,) * 16}
    made = replace(SEARCH, **epochs)  # type: ignore[arg-type]
    many = [
        replace(made, config={**SEARCH.config, "learning_rate": i / 9973}, seed=i, one_shot_error=(i % 350 / 350,) * 16)
        for i in range(2000)
    ]
    write_searches(tmp_path / "s.parquet", many, {})
    assert (tmp_path / "s.parquet").stat().st_size < 100_000


def test_a_missing_a_damaged_and_another_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"there are no recorded searches .*none\.parquet"):
        RecordedSearches(tmp_path / "none.parquet")
    whole = tmp_path / "s.parquet"
    write_searches(whole, [SEARCH], {})
    data = bytearray(whole.read_bytes())
    (tmp_path / "short").write_bytes(data[:-40])
    data[30] ^= 255
    (tmp_path / "flipped").write_bytes(data)
    for name in ("short", "flipped"):
        with pytest.raises(TableError, match=f"{name} is damaged or not Parquet"):
            RecordedSearches(tmp_path / name)
    pq.write_table(pa.table({"cell": ["a"]}), tmp_path / "cells.parquet")
    with pytest.raises(TableError, match=r"cells\.parquet holds no recorded searches, but the columns 'cell'"):
        RecordedSearches(tmp_path / "cells.parquet")
    other = pa.Table.from_pylist([], SCHEMA.with_metadata({b"metaopt-searches": b"{"}))
    pq.write_table(other, tmp_path / "other.parquet")
    with pytest.raises(TableError, match=r"the provenance in .*other\.parquet is not JSON"):
        RecordedSearches(tmp_path / "other.parquet")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"cannot write searches to .*nowhere/s\.parquet"):
        write_searches(tmp_path / "nowhere/s.parquet", [SEARCH], {})
