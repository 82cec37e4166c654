"""Whether two files say the same: numbers are compared as numbers, everything else as text.

Processors add in different orders, so derived numbers differ in digits that mean nothing. What is equal on every
machine is the text and, within a tolerance that is stated here, each number in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.image import imread

from metaopt.report.export.table import to_csv

#: Of numbers in tables: twice what rounding to six digits can do.
RELATIVE = 2e-5
#: Of numbers in tables: below it there is only the noise of sums that are 0.
ABSOLUTE = 1e-12
#: Of coordinates in figures, in CSS pixels: one unit of the last place that they are written with.
PIXEL = 0.011
#: Largest share of a picture's pixels that may look different: builds of its libraries draw letters otherwise.
PIXELS = 0.03
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_DRAWING = re.compile(r"(<svg\b.*?</svg>)", re.DOTALL)
_VISIBLE = 0.25  # of the way from black to white

Agree = Callable[[str, str], bool]


def same(name: str, one: bytes, other: bytes) -> bool:
    """Returns whether two files of one name say the same.

    Args:
        name: Its ending says how to compare.
        one: Content of the first.
        other: Of the second.
    """
    if one == other:
        return True
    try:
        match PurePath(name).suffix:
            case ".csv":
                return _same_tables(one.decode(), other.decode())
            case ".parquet":
                return _same_parquet(one, other)
            case ".png":
                return _same_pictures(one, other)
            case ".svg":
                return _same_texts(one.decode(), other.decode(), _coordinates_agree)
            case _:
                return _same_pages(one.decode(), other.decode())
    except (UnicodeDecodeError, pa.ArrowException, OSError, ValueError, SyntaxError):  # SyntaxError: no PNG at all
        return False


def _same_tables(one: str, other: str) -> bool:
    rows, others = (list(csv.reader(io.StringIO(text))) for text in (one, other))
    return [len(row) for row in rows] == [len(row) for row in others] and all(
        a == b or _values_agree(a, b) for a, b in zip(_cells(rows), _cells(others), strict=True)
    )


def _cells(rows: Iterable[list[str]]) -> Iterator[str]:
    return (cell for row in rows for cell in row)


def _same_parquet(one: bytes, other: bytes) -> bool:
    tables = [pq.read_table(pa.BufferReader(data)) for data in (one, other)]
    return tables[0].schema.equals(tables[1].schema) and same(".csv", *map(to_csv, tables))


def _same_pictures(one: bytes, other: bytes) -> bool:
    pixels, others = (imread(io.BytesIO(data), format="png") for data in (one, other))
    if pixels.shape != others.shape:
        return False
    return bool(np.mean(np.abs(pixels - others).max(axis=-1) > _VISIBLE) < PIXELS)


def _same_pages(one: str, other: str) -> bool:
    """Compares text, and the drawings that are in it as drawings."""
    parts, others = _DRAWING.split(one), _DRAWING.split(other)
    return len(parts) == len(others) and all(
        _same_texts(a, b, _coordinates_agree if place % 2 else _printed_agree)
        for place, (a, b) in enumerate(zip(parts, others, strict=True))
    )


def _same_texts(one: str, other: str, agree: Agree) -> bool:
    if one == other:
        return True
    words, others = _NUMBER.split(one), _NUMBER.split(other)
    return len(words) == len(others) and all(
        a == b or (place % 2 == 1 and agree(a, b)) for place, (a, b) in enumerate(zip(words, others, strict=True))
    )


def _values_agree(one: str, other: str) -> bool:
    """Compares numbers of six digits; whole ones are counts, which have no noise."""
    if not (_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)) or (_is_whole(one) and _is_whole(other)):
        return False
    a, b = float(one), float(other)
    return abs(a - b) <= max(ABSOLUTE, RELATIVE * max(abs(a), abs(b)))


def _printed_agree(one: str, other: str) -> bool:
    """Compares numbers that were rounded for reading: two whose last of at least two digits is one apart agree."""
    if _values_agree(one, other):
        return True
    decimals = {len(text.partition(".")[2]) for text in (one, other)}
    digits = min(len(text.replace(".", "").lstrip("-+0")) for text in (one, other))
    if len(decimals) > 1 or decimals == {0} or digits < 2 or "e" in (one + other).lower():
        return False
    return abs(float(one) - float(other)) <= 1.01 * 0.1 ** decimals.pop()


def _coordinates_agree(one: str, other: str) -> bool:
    return abs(float(one) - float(other)) <= PIXEL


def _is_whole(text: str) -> bool:
    return text.lstrip("-+").isdigit()
