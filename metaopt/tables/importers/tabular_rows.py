"""Rows of a table of the user's own, checked and put in order; ``tabular.py`` says what they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from metaopt.cells.graph import CellGraph
from metaopt.core.errors import CellError, TableError
from metaopt.core.wording import counted
from metaopt.tables.importers.evaluations import Evaluations, spaces_of
from metaopt.tables.importers.published_cells import graph
from metaopt.tables.importers.rules import (
    ALLOWED,
    Report,
    check_hash,
    counting,
    differing,
    impossible,
    refused,
)
from metaopt.tables.schema import MEASURES

HINT = "metaopt benchmark import --help says what columns a table has"
_SPELLED = ("adjacency", "operations")
#: Columns of integers, and what they may be.
_INTEGERS = {"epochs": (1, 2**15 - 1), "seed": (0, 2**7 - 1), "parameters": (0, 2**31 - 1)}
_REQUIRED = ("epochs", "seed", "valid_error", "test_error")
_HASH = "cell_hash"
_ALLOWED = ("cell", *_SPELLED, _HASH, "epochs", "seed", *MEASURES, "parameters")


@dataclass(frozen=True)
class Rows:
    """Rows of a table of the user's.

    Attributes:
        file: What they are from.
        rows: Columns as they were read.
        place: Says where a row is, by its number from 0.
        report: Is told how many rows are checked.
    """

    file: Path
    rows: pa.Table
    place: Callable[[int], str]
    report: Report

    def evaluations(self) -> Evaluations:
        """Returns what the rows tell.

        Raises:
            TableError: if a column, a value or a row is wrong, missing, or there twice; says where.
        """
        self._check_columns()
        graphs, of_row = self._cells()
        self._check_hashes(graphs, of_row)
        epochs, seed = self._integers("epochs"), self._integers("seed")
        measures = {name: self._measure(name) for name in MEASURES if name in self.rows.column_names}
        numbers, seeds = np.unique(epochs).tolist(), np.unique(seed).tolist()
        shape = len(graphs), len(seeds), len(numbers)
        hashes = np.array([cell.hash for cell in graphs], dtype="S32")
        order = np.argsort(hashes)
        at = np.ravel_multi_index(
            (np.argsort(order)[of_row], np.searchsorted(seeds, seed), np.searchsorted(numbers, epochs)), shape
        )
        keys = [graphs[cell].key for cell in order.tolist()]
        self._check_grid(at, shape, lambda k, s, e: f"{keys[k]}, seed {seeds[s]}, {counted(numbers[e], 'epoch')}")
        row_of = np.argsort(at).reshape(shape)
        return Evaluations(
            hashes[order],
            keys,
            spaces_of(hashes[order], keys),
            tuple(seeds),
            tuple(numbers),
            {name: values[row_of] for name, values in measures.items()},
            self._parameters(of_row)[order] if "parameters" in self.rows.column_names else None,
        )

    def _check_columns(self) -> None:
        names = self.rows.column_names
        cells = [*_SPELLED] if "cell" not in names and set(_SPELLED) & set(names) else ["cell"]
        lacking = [name for name in (*cells, *_REQUIRED) if name not in names]
        foreign = [name for name in names if name not in _ALLOWED or (cells == ["cell"] and name in _SPELLED)]
        if lacking or foreign or len(set(names)) < len(names):
            wrong = f"lacks the columns {', '.join(lacking)}" if lacking else f"has the columns {', '.join(names)}"
            raise TableError(
                f"{self.file} {wrong}; needed: cell, or adjacency and operations, {', '.join(_REQUIRED)}; allowed "
                f"besides: {', '.join(name for name in _ALLOWED[3:] if name not in _REQUIRED)}; each once",
                f"remove {', '.join(foreign)}" if foreign and not lacking else HINT,
            )
        if not len(self.rows):
            raise TableError(f"{self.file} has no rows", HINT)
        for name in names:
            if self.rows[name].null_count:
                raise self._bad(int(np.argmax(self.rows[name].is_null().to_numpy())), name, "is empty")

    def _cells(self) -> tuple[list[CellGraph], NDArray[np.intp]]:
        """Returns the distinct graphs, and which of them every row is of."""
        names = ["cell"] if "cell" in self.rows.column_names else [*_SPELLED]
        texts = list(zip(*(self.rows[name].to_pylist() for name in names), strict=True))
        graphs, of_hash, of_text = list[CellGraph](), dict[str, int](), dict[tuple[Any, ...], int]()
        for row, text in enumerate(counting(texts, self.report)):
            if text not in of_text:
                cell = self._graph(row, names, text)
                of_text[text] = of_hash.setdefault(cell.hash, len(graphs))
                graphs += [cell] if of_text[text] == len(graphs) else []
        return graphs, np.array([of_text[text] for text in texts])

    def _check_hashes(self, graphs: list[CellGraph], of_row: NDArray[np.intp]) -> None:
        """Checks the hashes that the rows give, if they do."""
        if _HASH not in self.rows.column_names:
            return
        for row, (stored, cell) in enumerate(zip(self.rows[_HASH].to_pylist(), of_row.tolist(), strict=True)):
            try:
                check_hash(str(stored), graphs[cell])
            except ValueError as error:
                raise refused(self.file, self.place(row), str(error), HINT) from None

    def _graph(self, row: int, names: list[str], text: tuple[Any, ...]) -> CellGraph:
        for name, part in zip(names, text, strict=True):
            if not isinstance(part, str):
                raise self._bad(row, name, f"is {part!r}; needed: a text")
        try:
            if names == ["cell"]:
                return CellGraph.from_key(text[0])
            return graph(*text)
        except CellError as error:
            raise self._bad(row, "cell:", error.message) from None
        except ValueError as error:
            raise self._bad(row, " and ".join(names), f"tell of a cell that {error}") from None

    def _integers(self, name: str) -> NDArray[np.int64]:
        values, (low, high) = self._numbers(name), _INTEGERS[name]
        wrong = ~((values >= low) & (values <= high) & (values == np.floor(values)))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise self._bad(row, name, f"is {values[row]:g}; allowed: whole numbers from {low} to {high}")
        return values.astype(np.int64)

    def _measure(self, name: str) -> NDArray[np.float32]:
        values, kind = self._numbers(name), "share" if name.endswith("_error") else "seconds"
        if (wrong := impossible(values, kind)).any():
            hint = (
                "is it in per cent, or an accuracy?"
                if kind == "share"
                else "leave the column out if times are not known"
            )
            row = int(np.argmax(wrong))
            raise self._bad(row, name, f"is {values[row]:g}; allowed: {ALLOWED[kind]}", hint)
        return values.astype(np.float32)

    def _numbers(self, name: str) -> NDArray[np.float64]:
        column = self.rows[name]
        try:
            numbers: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
            return numbers
        except pa.ArrowException:
            row = next(row for row, value in enumerate(column) if not _is_number(value))
            raise self._bad(row, name, f"is {column[row].as_py()!r}; needed: a number") from None

    def _parameters(self, of_row: NDArray[np.intp]) -> NDArray[np.int32]:
        """Returns the trainable weights of every cell."""
        values = self._integers("parameters")
        if (pair := differing(of_row, values)) is not None:
            here, there = (int(values[row]) for row in pair)
            what = f"is {here}; {self.place(pair[1])}, of the same cell, has {there}"
            raise self._bad(pair[0], "parameters", what)
        return values[np.unique(of_row, return_index=True)[1]].astype(np.int32)

    def _check_grid(
        self, at: NDArray[np.intp], shape: tuple[int, int, int], name: Callable[[int, int, int], str]
    ) -> None:
        """Checks that every place of the grid has exactly one row."""
        counts = np.bincount(at, minlength=int(np.prod(shape)))
        if counts.max() > 1:
            place = int(np.argmax(counts > 1))
            one, other = (self.place(row) for row in np.flatnonzero(at == place)[:2].tolist())
            which = name(*(int(part) for part in np.unravel_index(place, shape)))
            hint = "cells with isomorphic graphs are one cell: keep one of them"
            raise refused(self.file, other, f"is of the same training as {one}: {which}", hint)
        if counts.min() < 1:
            which = name(*(int(part) for part in np.unravel_index(int(np.argmin(counts)), shape)))
            raise TableError(
                f"{self.file} is incomplete: {(counts == 0).sum():,} of {len(counts):,} evaluations are missing, "
                f"such as {which}",
                "every cell needs every seed and number of epochs: add the rows, or take out what is not complete",
            )

    def _bad(self, row: int, column: str, what: str, hint: str = HINT) -> TableError:
        return refused(self.file, self.place(row), f"column {column} {what}", hint)


def _is_number(value: pa.Scalar) -> bool:
    try:
        value.cast(pa.float64())
    except pa.ArrowException:
        return False
    return True
