from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from metaopt.cells.graph import CellGraph
from metaopt.cli.benchmark.found import found_cells
from metaopt.core.errors import JournalError
from metaopt.core.trial import Result, Trial
from metaopt.runs.folder import RunFolder
from metaopt.runs.journal import JournalWriter

CHAIN = CellGraph(tuple(tuple(int(j == i + 1) for j in range(13)) for i in range(13)), ("conv3x3",) * 11)


def run(folder: Path, cells: list[str | None], **header: object) -> Path:
    place = RunFolder(folder)
    place.create()
    with place.locked():
        started = place.begin({"run": {"optimizer": "darts"}, "space": {"hyperparameters": []}, **header})
        with contextlib.closing(JournalWriter(place.journal, started)) as writer:
            writer.ask(0.0, Trial(0, 0, {}, 1, 0))
            writer.tell(1.0, Result(0, "ok", valid_error=0.5, info={"trajectory": {"cell": cells}}))
    return folder


def test_every_cell_of_every_epoch_is_found(tmp_path: Path) -> None:
    optimizer, found = found_cells(run(tmp_path / "a", ["111:conv3x3", None, "1", "1"]))
    assert (optimizer, {graph.key for graph in found}) == ("darts", {"111:conv3x3", "1"})


@pytest.mark.parametrize(("key", "text"), [(CHAIN.key, "13 vertices and 12 edges"), ("x", "not the key of a cell")])
def test_what_is_no_cell_is_named_with_its_journal(tmp_path: Path, key: str, text: str) -> None:
    with pytest.raises(JournalError, match=rf"journal\.jsonl has no cell as one that trial 0 .*{text}"):
        found_cells(run(tmp_path / "a", [key]))


def test_a_run_of_cells_is_no_run_of_an_optimizer(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="is of no one-shot optimizer"):
        found_cells(run(tmp_path / "a", ["1"], run={}))
