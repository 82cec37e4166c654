from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.image import imsave

from metaopt.report.document.equality import same
from metaopt.report.export.table import to_parquet


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("a,0.123456\n", "a,0.123457\n", True),
        ("a,0.12345678901234567\n", "a,0.123457\n", True),
        ("a,5.0\n", "a,5\n", True),
        ("a,0\n", "a,1.3e-17\n", True),
        ("a,1.23457e+07\n", "a,12345678.25\n", True),
        ("a,\n", "a,0\n", False),
        ("a,0.1234\n", "a,0.1235\n", False),
        ("a,0.5\n", "a,0.6\n", False),
        ("a,100000\n", "a,100001\n", False),
        ("a,0.5\n", "b,0.5\n", False),
        ("a,0.5\n", "a,0.5\na,0.5\n", False),
        ("a-1,0.5\n", "a-2,0.5\n", False),
        ('"a,0.5"\n', "a,0.5\n", False),
    ],
)
def test_numbers_in_tables_are_compared_as_numbers_and_counts_exactly(one: str, other: str, equal: bool) -> None:
    assert same("t.csv", one.encode(), other.encode()) is equal
    assert same("t.csv", other.encode(), one.encode()) is equal


@pytest.mark.parametrize("name", ["README.md", "tables/a.tex", "report.html"])
@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("mean 0.0343 of 15", "mean 0.0344 of 15", True),
        ("mean 0.0343 of 15", "mean 0.0345 of 15", False),
        ("mean 0.0343 of 15", "mean 0.0343 of 16", False),
        ("p = 0.5", "p = 0.6", False),
        ("mean 0.0343", "mode 0.0343", False),
        ("ratio 2.41", "ratio 2.41×", False),
    ],
)
def test_numbers_for_reading_may_be_rounded_otherwise(name: str, one: str, other: str, equal: bool) -> None:
    assert same(name, one.encode(), other.encode()) is equal


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('<svg><path d="M 1.234567 2"/></svg>', '<svg><path d="M 1.23 2"/></svg>', True),
        ('<svg><path d="M 1.2 2"/></svg>', '<svg><path d="M 1.3 2"/></svg>', False),
        ('<svg><path fill="#1f66c7"/></svg>', '<svg><path fill="#1f66c8"/></svg>', False),
        ("<svg><text>a</text></svg>", "<svg><text>b</text></svg>", False),
    ],
)
def test_coordinates_agree_within_what_can_be_seen(one: str, other: str, equal: bool) -> None:
    assert same("figures/a.svg", one.encode(), other.encode()) is equal
    assert same("report.html", f"<p>0.0343 {one}</p>".encode(), f"<p>0.0344 {other}</p>".encode()) is equal


def picture(dots: int) -> bytes:
    pixels, file = np.ones((50, 40, 3)), io.BytesIO()
    pixels.reshape(-1, 3)[:dots] = 0
    imsave(file, pixels, format="png")
    return file.getvalue()


def test_pictures_may_differ_in_a_few_pixels() -> None:
    assert same("a.png", picture(100), picture(110))
    assert not same("a.png", picture(100), picture(300))
    assert not same("a.png", picture(100), b"no picture")
    assert not same("a.png", b"none", b"neither")


def test_a_table_in_parquet_is_compared_by_what_it_holds() -> None:
    def parquet(value: float, kind: pa.DataType) -> bytes:
        return to_parquet(pa.table({"x": pa.array([value], kind)}))

    assert same("t.parquet", parquet(1 / 3, pa.float64()), parquet(1 / 3 + 1e-16, pa.float64()))
    assert not same("t.parquet", parquet(1 / 3, pa.float64()), parquet(0.334, pa.float64()))
    assert not same("t.parquet", parquet(1, pa.float64()), parquet(1, pa.int64()))
    assert not same("t.parquet", parquet(1, pa.int64()), b"no table")
