from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from metaopt.core import paths
from metaopt.doctor.benchmarks import benchmarks, images, table


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))


def test_every_benchmark_is_looked_at() -> None:
    assert {"table digits 1", "table nasbench101 3", "images digits", "images nasbench101"} <= set(benchmarks())
    assert benchmarks()["images digits"]().text == images("digits").text


def test_what_is_shipped_is_whole() -> None:
    finding = table("digits", 1)
    assert finding.state == "ok"
    assert "2685 of 2685 cells" in finding.text
    assert images("digits").state == "ok"


def test_what_is_not_there_is_said_with_how_to_get_it() -> None:
    assert (table("nasbench101", 2).state, images("nasbench101").state) == ("warning", "warning")
    assert "metaopt benchmark import" in table("nasbench101", 2).advice


@pytest.mark.parametrize("damage", [b"no table", None])
def test_a_damaged_table(tmp_path: Path, damage: bytes | None) -> None:
    shipped = paths.data_folder("benchmarks") / "tables" / "digits-1.parquet"
    (tmp_path / "tables").mkdir()
    mine = Path(shutil.copy(shipped, tmp_path / "tables" / "nasbench101.parquet"))
    mine.write_bytes(damage if damage is not None else mine.read_bytes()[:-1000])
    finding = table("nasbench101", 2)
    assert finding.state == "problem"
    assert str(mine) in finding.text
    assert finding.advice


def test_damaged_images_are_said(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "cifar10"
    folder.mkdir(parents=True)
    (folder / "cifar-10-binary.tar.gz").write_bytes(b"no archive")
    assert images("nasbench101").state != "ok"
