"""Cells that searches have found, as the journals of their runs tell of them."""

from __future__ import annotations

from pathlib import Path

from metaopt.cells.graph import CellGraph
from metaopt.core.errors import CellError, JournalError
from metaopt.runs.folder import RunFolder


def found_cells(run: Path) -> tuple[str, set[CellGraph]]:
    """Returns the one-shot optimizer of a run, and every cell that a search of it has picked after any of its epochs.

    Raises:
        RunError: if there is no run.
        JournalError: if its journal is damaged, is of no one-shot optimizer, or tells of what is no cell.
    """
    folder = RunFolder(run)
    recorded, found = folder.read(), set[CellGraph]()
    for trial_id, result in recorded.results.items():
        trajectory = result.info.get("trajectory")
        for key in trajectory.get("cell", ()) if isinstance(trajectory, dict) else ():
            try:
                found |= set() if key is None else {CellGraph.from_key(str(key))}
            except CellError as error:
                what = f"{folder.journal} has no cell as one that trial {trial_id} has found: {error.message}"
                raise JournalError(what, "leave this run out") from None
    optimizer = recorded.record.settings.get("optimizer")
    if not isinstance(optimizer, str):
        raise JournalError(f"{folder.journal} is of no one-shot optimizer", "name runs of metaopt tune")
    return optimizer, found
