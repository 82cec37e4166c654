"""The table of recorded searches of one benchmark and cell space: a row per search, as Parquet.

Errors are shares in [0, 1] with the six places that a journal has, so that 32 bits hold them. What is alike stands side
by side and is stored once: 10,000 searches of 16 epochs take about 1 MB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from metaopt.core.errors import TableError
from metaopt.core.paths import replacing
from metaopt.core.system_errors import explaining, unreadable
from metaopt.core.trial import Value
from metaopt.core.wording import shown

SCHEMA = pa.schema(
    [
        ("optimizer", pa.string()),
        ("space", pa.string()),
        ("config", pa.string()),
        ("epochs", pa.int32()),
        ("seed", pa.int64()),
        ("one_shot_error", pa.list_(pa.float32())),
        ("cell", pa.list_(pa.string())),
        ("valid_error", pa.list_(pa.float32())),
        ("test_error", pa.list_(pa.float32())),
        ("cost_s", pa.float32()),
        ("source", pa.string()),
    ]
)
_ERRORS = ("one_shot_error", "valid_error", "test_error")
_PLACES = 6  # of an error in a journal
_PROVENANCE = b"metaopt-searches"
_HINT = "make it with metaopt benchmark gather-searches"


@dataclass(frozen=True, slots=True)
class RecordedSearch:
    """One search that was really made.

    Attributes:
        optimizer: One-shot optimizer.
        space: Name of the space that the configuration is of.
        config: The active hyperparameters.
        epochs: Asked for; a search that was stopped early or trained on has more or fewer entries below.
        seed: Of everything random in the search.
        one_shot_error: Of the one-shot model after each epoch.
        cell: Key of the cell that would be picked after each epoch; None where the optimizer picks none.
        valid_error: What the table says of that cell, mean over its seeds; None where nothing is known.
        test_error: Likewise.
        cost_s: Wall seconds of the search.
        source: The run that it is of.
    """

    optimizer: str
    space: str
    config: Mapping[str, Value]
    epochs: int
    seed: int
    one_shot_error: tuple[float | None, ...]
    cell: tuple[str | None, ...]
    valid_error: tuple[float | None, ...]
    test_error: tuple[float | None, ...]
    cost_s: float
    source: str

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What decides its course: optimizer, configuration as text, epochs, seed."""
        return self.optimizer, canonical(self.config), self.epochs, self.seed

    @property
    def course(self) -> tuple[tuple[Any, ...], ...]:
        """What came of it, without the clock."""
        return self.one_shot_error, self.cell, self.valid_error, self.test_error


def canonical(config: Mapping[str, Value]) -> str:
    """Returns a configuration as text that is the same for equal ones; numbers keep every digit and their type."""
    return json.dumps(dict(config), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_searches(path: Path, searches: Iterable[RecordedSearch], provenance: Mapping[str, Any]) -> None:
    """Writes searches, in an order of their own, and how they were made; all of it or nothing.

    Args:
        path: The file.
        searches: At least one.
        provenance: Plain JSON values.

    Raises:
        TableError: if the file cannot be written.
    """
    rows = sorted(searches, key=lambda one: one.key)
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in rows] for name in SCHEMA.names}
    columns["config"] = [one.key[1] for one in rows]
    table = pa.Table.from_pydict(columns, SCHEMA.with_metadata({_PROVENANCE: json.dumps(provenance).encode()}))
    few = [name for name in SCHEMA.names if name not in ("config", "seed", "cost_s")]
    with (
        explaining(f"cannot write searches to {path}", "name another file with --out", TableError),
        replacing(path) as partial,
    ):
        pq.write_table(
            table,
            partial,
            compression="zstd",
            compression_level=19,
            use_dictionary=[f"{name}.list.element" if name in (*_ERRORS, "cell") else name for name in few],
            write_page_checksum=True,
        )


class RecordedSearches:
    """The searches of a file.

    Args:
        path: What :func:`write_searches` wrote.

    Attributes:
        rows: Columns of :data:`SCHEMA`.
        provenance: How they were made.

    Raises:
        TableError: if there is no such file, or if it is damaged or holds something else.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise TableError(f"there are no recorded searches {path}", _HINT)
        try:
            self.rows = pq.read_table(path, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            what = "is damaged or not Parquet"
            raise unreadable(error, f"the file {path}", what, _HINT, TableError) from None
        metadata = self.rows.schema.metadata or {}
        if not self.rows.schema.equals(SCHEMA) or _PROVENANCE not in metadata:
            found = shown(", ".join(self.rows.schema.names))
            raise TableError(f"{path} holds no recorded searches, but the columns {found}", _HINT)
        try:
            self.provenance: dict[str, Any] = json.loads(metadata[_PROVENANCE])
        except ValueError as error:
            raise TableError(f"the provenance in {path} is not JSON: {error}", _HINT) from None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RecordedSearch]:
        for row in self.rows.to_pylist():
            row["config"] = json.loads(row["config"])
            row |= {name: tuple(None if x is None else round(x, _PLACES) for x in row[name]) for name in _ERRORS}
            row["cell"] = tuple(row["cell"])
            row["cost_s"] = round(row["cost_s"], 3)
            yield RecordedSearch(**row)
