"""What a search was like epoch by epoch, on the disk while it still runs: whatever ends it, the epochs before stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metaopt.core.paths import TRAJECTORY, write_atomically
from metaopt.oneshot.train import SearchDivergedError, SearchEpoch
from metaopt.tables.answers import Answers

#: Columns that most searches do without, and what stands there for nothing.
_RARE = {"eigenvalue": None, "sweeps": 0, "detour": 0, "note": ""}
#: Names of columns that differ from those of fields: what files and journals of all versions have.
_COLUMNS = {"validation_passes": "sweeps", "skipped": "detour"}


@dataclass(frozen=True, slots=True)
class TrajectoryEpoch:
    """One epoch with what the table says of its cell.

    Attributes:
        epoch: Number of the epoch in the order of training, from 1.
        train_loss: Mean cross-entropy of the weights' steps, to six places, as all that follow.
        one_shot_error: Of the one-shot model, in [0, 1].
        valid_error: The table's mean for the cell that would be picked, in [0, 1]; None where none was or nothing
            is known of it; a search is worth its last cell, however often one looks on the way.
        test_error: Likewise.
        cell: Key of that cell's graph.
        eigenvalue: Dominant one of the validation loss's Hessian over the architecture, to six digits; None where it
            was not measured.
        arch: State of the architecture as plain values.
        validation_passes: Passes over all validation images for the selection of the final cell; more than 0 as soon as
            choices are closed.
        skipped: Better-ranked cells skipped because the table lacks them.
        note: What happened after the epoch's training that its figures alone do not say; empty: nothing.
    """

    epoch: int
    train_loss: float
    one_shot_error: float
    valid_error: float | None
    test_error: float | None
    cell: str | None
    eigenvalue: float | None
    arch: Mapping[str, Any]
    validation_passes: int = 0
    skipped: int = 0
    note: str = ""


class Trajectory:
    """The epochs of one search, kept in a file.

    Args:
        answers: Of the benchmark, say what the cells are worth.
        folder: An existing folder for the file.
    """

    def __init__(self, answers: Answers, folder: Path) -> None:
        self._answers, self._path = answers, folder / TRAJECTORY
        #: Values by name, one per epoch, with the columns that no epoch has anything in.
        self.all_columns: dict[str, list[Any]] = {}

    def restore(self, columns: Mapping[str, list[Any]]) -> None:
        """Goes on after the epochs of an earlier :attr:`all_columns`."""
        self.all_columns = {name: list(values) for name, values in columns.items()}

    @property
    def columns(self) -> dict[str, list[Any]]:
        """Values by name, one per epoch, without the columns of :data:`_RARE` in which no epoch has anything."""
        return {
            name: values
            for name, values in self.all_columns.items()
            if name not in _RARE or any(value != _RARE[name] for value in values)
        }

    def add(self, epoch: SearchEpoch) -> TrajectoryEpoch:
        """Takes an epoch.

        Raises:
            SearchDivergedError: if a value of the epoch is not finite, which JSON has no word for; it is not taken.
        """
        graph = None if epoch.cell is None else epoch.cell.graph
        entry = self._answers.query(graph) if graph is not None and graph in self._answers else None
        row = TrajectoryEpoch(
            epoch=epoch.epoch,
            train_loss=round(epoch.train_loss, 6),
            one_shot_error=round(epoch.one_shot_error, 6),
            valid_error=None if entry is None else round(entry.valid_error, 6),
            test_error=None if entry is None else round(entry.test_error, 6),
            cell=None if graph is None else graph.key,
            eigenvalue=None if epoch.eigenvalue is None else float(f"{epoch.eigenvalue:.6g}"),
            arch=epoch.arch,
            validation_passes=epoch.validation_passes,
            skipped=epoch.skipped,
            note=epoch.note,
        )
        values = {_COLUMNS.get(name, name): value for name, value in asdict(row).items()}
        for name, value in values.items():
            _check_finite(name, value, epoch.epoch)
        for name, value in values.items():
            self.all_columns.setdefault(name, []).append(value)
        return row

    def write(self) -> None:
        """Writes the file, with all epochs so far."""
        write_atomically(self._path, json.dumps(self.columns, allow_nan=False))


def _check_finite(name: str, value: Any, epoch: int) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise SearchDivergedError(f"{name} is not finite in epoch {epoch}") from None
