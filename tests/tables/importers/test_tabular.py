from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaopt.core.errors import TableError
from metaopt.tables.importers.tabular import csv, parquet
from tfrecords import CHAIN, FORK, spell

HEAD = "cell,epochs,seed,valid_error,test_error\n"
LINES = [f"{graph.key},{e},{s},0.{e}{s},0.5" for graph in (FORK, CHAIN) for e in (4, 12) for s in (0, 3)]


def quiet(done: int, total: int, what: str = "bytes") -> None:
    pass


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv(tmp_path: Path, end: str) -> None:
    found, said = csv(write(tmp_path, (HEAD + "\n".join(LINES) + "\n").replace("\n", end)), quiet)
    assert (found.seeds, found.epochs, said["rows"]) == ((0, 3), (4, 12), 8)
    assert found.keys == [graph.key for graph in sorted((FORK, CHAIN), key=lambda graph: graph.hash)]
    assert found.measures["valid_error"].tolist() == np.array([[[0.40, 0.120], [0.43, 0.123]]] * 2, "f4").tolist()


def test_nasbench101_spelling_is_quoted(tmp_path: Path) -> None:
    text = (
        'adjacency,operations,epochs,seed,valid_error,test_error\n011001000,"input,conv3x3-bn-relu,output",4,0,0.5,1\n'
    )
    assert csv(write(tmp_path, text), quiet)[0].keys == [CHAIN.key]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("x,4,3,0.4,0.5", "line 4, column cell: 'x' is not the key of a cell"),
        ("1" * 36 + ":conv3x3" * 7 + ",4,3,0.4,0.5", "line 4, column cell: the cell has 9 vertices and 36 edges that"),
        (f"{CHAIN.key},4.5,3,0.4,0.5", "line 4, column epochs is 4.5; allowed: whole numbers from 1"),
        (f"{CHAIN.key},four,3,0.4,0.5", "line 4, column epochs is 'four'; needed: a number"),
        (f"{CHAIN.key},4,-1,0.4,0.5", "line 4, column seed is -1; allowed: whole numbers from 0 to 127"),
        (
            f"{CHAIN.key},4,3,94.1,0.5",
            r"line 4, column valid_error is 94.1; allowed: 0 to 1\n  is it in per cent, or an",
        ),
        (f"{CHAIN.key},4,3,0.4,nan", "line 4, column test_error is nan"),
        (f"{CHAIN.key},4,3,,0.5", "line 4, column valid_error is empty"),
        (f"{CHAIN.key},4,3,0.4", "cannot be read: .*Row #4: Expected 5 columns, got 4"),
        (f"{CHAIN.key},4,3,0.4,0.5,0", "cannot be read: .*Row #4: Expected 5 columns, got 6"),
        ("", "line 4|Row #4"),
    ],
)
def test_mistakes_are_named_by_line_and_column(tmp_path: Path, line: str, text: str) -> None:
    path = write(tmp_path, "\n".join([HEAD + LINES[0], LINES[1], line, *LINES[2:]]) + "\n")
    with pytest.raises(TableError, match=text):
        csv(path, quiet)


BEYOND = {
    "chain of 13": (np.eye(13, k=1, dtype=int), "13 vertices and 12 edges that count; allowed: 7 and 9"),
    "8 vertices": (np.eye(8, k=1, dtype=int), "8 vertices and 7 edges"),
    "10 edges": (np.triu(np.ones((5, 5), int), 1), "5 vertices and 10 edges"),
    "no path": (np.zeros((4, 4), int), "the output cannot be reached"),
    "a loop": (np.eye(3, k=1, dtype=int) + np.eye(3, dtype=int), "not strictly upper triangular"),
}


@pytest.mark.parametrize("beyond", BEYOND)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_cells_beyond_the_limits_are_named_by_line(tmp_path: Path, beyond: str, kind: str) -> None:
    matrix, text = BEYOND[beyond]
    spelled = [spell(matrix.tolist(), ["conv3x3"] * (len(matrix) - 2)), spell(CHAIN.adjacency, CHAIN.ops)]
    if kind == "csv":
        rows = [f'{adjacency},"{operations}",4,0,0.5,0.5' for adjacency, operations in spelled[::-1]]
        path = write(tmp_path, "\n".join(["adjacency,operations,epochs,seed,valid_error,test_error", *rows]))
        with pytest.raises(TableError, match=f"line 3, columns? adjacency and operations tell .*{text}"):
            csv(path, quiet)
        return
    names = dict(zip(("adjacency", "operations"), map(list, zip(*spelled[::-1], strict=True)), strict=True))
    pq.write_table(pa.table({**names, **{k: v for k, v in COLUMNS.items() if k != "cell"}}), tmp_path / "t")
    with pytest.raises(TableError, match=f"row 2, columns? adjacency and operations tell .*{text}"):
        parquet(tmp_path / "t", quiet)


def test_dead_vertices_do_not_count(tmp_path: Path) -> None:
    matrix = np.zeros((13, 13), int)
    matrix[0, 1] = matrix[1, 12] = matrix[0, 2:12] = 1
    adjacency, operations = spell(matrix.tolist(), ["conv3x3"] * 11)
    text = f'adjacency,operations,epochs,seed,valid_error,test_error\n{adjacency},"{operations}",4,0,0.5,0.5\n'
    assert csv(write(tmp_path, text), quiet)[0].keys == ["101:conv3x3"]


@pytest.mark.parametrize("content", [b"", HEAD.encode(), HEAD.encode() + b"\xff\xfe,4,0,0.5,0.5\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(TableError, match=r"t\.csv (cannot be read|has no rows)"):
        csv(write(tmp_path, content), quiet)


COLUMNS = {
    "cell": [FORK.key, CHAIN.key],
    "epochs": [4, 4],
    "seed": [0, 0],
    "valid_error": [0.5, 0.25],
    "test_error": [0.5, 0.5],
}


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({**COLUMNS, "cost_s": [1.5, 2.5], "parameters": [7, 8]}), tmp_path / "t")
    found = parquet(tmp_path / "t", quiet)[0]
    at = found.keys.index(CHAIN.key)
    assert found.parameters is not None
    assert (found.measures["cost_s"][at].item(), found.parameters[at]) == (2.5, 8)


@pytest.mark.parametrize(
    ("column", "values", "text"),
    [
        ("valid_error", [0.5, 25.0], "row 2, column valid_error is 25; allowed: 0 to 1"),
        ("valid_error", [0.5, None], "row 2, column valid_error is empty"),
        ("valid_error", [[0.5], [0.5]], "row 1, column valid_error is .*; needed: a number"),
        ("cell", [5, 6], "row 1, column cell is 5; needed: a text"),
        ("epochs", [4, 0], "row 2, column epochs is 0"),
    ],
)
def test_mistakes_are_named_by_row_and_column(tmp_path: Path, column: str, values: list[object], text: str) -> None:
    pq.write_table(pa.table({**COLUMNS, column: values}), tmp_path / "t")
    with pytest.raises(TableError, match=text):
        parquet(tmp_path / "t", quiet)
