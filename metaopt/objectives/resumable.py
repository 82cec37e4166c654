"""A search that writes a checkpoint after every epoch and goes on from the one in its folder, whatever ended it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metaopt.objectives import scratch
from metaopt.objectives.trajectory import Trajectory, TrajectoryEpoch
from metaopt.oneshot.checkpoint.checkpoint import pack, unpack
from metaopt.oneshot.checkpoint.checksum import UnusableCheckpointError
from metaopt.oneshot.state import SearchState
from metaopt.oneshot.train import Search, SearchEpoch

#: Name of the file in the scratch folder of a trial.
CHECKPOINT = "checkpoint.safetensors"


@dataclass
class Spent:
    """Time that all starts of an evaluation took, those up to the last checkpoint of what was lost.

    Attributes:
        cost_s: Wall seconds of earlier starts.
        cpu_s: CPU seconds of them, over all threads.
    """

    cost_s: float = 0.0
    cpu_s: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _began: float = field(default_factory=time.process_time)

    def to_json(self) -> dict[str, float]:
        """Returns the seconds until now by name, to a thousandth."""
        cost_s = self.cost_s + time.monotonic() - self._started
        cpu_s = self.cpu_s + time.process_time() - self._began
        return {"cost_s": round(cost_s, 3), "cpu_s": round(cpu_s, 3)}


class ResumableSearch:
    """One search in a folder; iterate over :meth:`epochs` to run it.

    Args:
        make: Makes the search, not yet run.
        total: Its epochs.
        context: What its trajectory depends on besides the search, as plain JSON values.
        trajectory: Of this search, where every epoch is kept.
        folder: An existing folder, for the checkpoint.

    Attributes:
        spent: The time that it took so far.
        notes: What was wrong with checkpoints, of earlier starts, too.
    """

    def __init__(
        self, make: Callable[[], Search], total: int, context: Mapping[str, Any], trajectory: Trajectory, folder: Path
    ) -> None:
        self._make, self._search, self._total, self._trajectory = make, make(), total, trajectory
        self._identity = {**self._search.identity(total), **context}
        self._folder = folder
        self.spent, self.notes = Spent(), list[str]()

    def epochs(self) -> Iterator[tuple[SearchEpoch, TrajectoryEpoch]]:
        """Runs the search from where its checkpoint was written; yields every epoch after all of it is kept.

        Raises:
            SearchDivergedError: if the loss, or anything else that is kept of an epoch, is not finite.
            OSError: if the folder cannot be written.
        """
        state = self._restored() or self._search.begin(self._total)
        self._trajectory.write()
        for epoch in self._search.training(state):
            row = self._trajectory.add(epoch)
            self._keep(state)  # before the trajectory: what that shows is never trained again
            self._trajectory.write()
            yield epoch, row
        self._keep(state)  # the choice of a cell may take longer than all the training
        for epoch in self._search.selection(state):
            row = self._trajectory.add(epoch)
            self._trajectory.write()
            yield epoch, row

    def _keep(self, state: SearchState) -> None:
        spent = self.spent.to_json()
        figures = {**spent, "columns": self._trajectory.all_columns, "notes": self.notes}
        content = pack(self._identity, figures, state.save())
        scratch.keep(self._folder, CHECKPOINT, content, spent["cost_s"])

    def _restored(self) -> SearchState | None:
        """Returns where the checkpoint was written, the search made to go on from there; None without a usable one."""
        try:
            figures, saved = unpack(_checkpoint(self._folder), self._identity)
            state = self._search.begin(self._total, saved)
            self._trajectory.restore(figures["columns"])
            self.spent.cost_s, self.spent.cpu_s = figures["cost_s"], figures["cpu_s"]
            self.notes = figures["notes"]
        except FileNotFoundError:
            return None
        # A search loses its epochs so far by whatever it cannot read there, but never more.
        except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
            self._search = self._make()
            self.notes = [f"began anew, as the checkpoint of an earlier start is unusable: {_what(error)}"]
            print(self.notes[0], file=sys.stderr)
            return None
        return state


def _checkpoint(folder: Path) -> bytes:
    """Returns the content of the checkpoint in the folder of a trial.

    Raises:
        OSError: if it cannot be read, FileNotFoundError if there is none.
    """
    path, old = folder / scratch.SCRATCH / CHECKPOINT, folder / CHECKPOINT
    if old.exists() and not path.exists():  # earlier versions kept it beside the result
        path.parent.mkdir(exist_ok=True)
        old.rename(path)
    return path.read_bytes()


def _what(error: Exception) -> str:
    return str(error) if isinstance(error, UnusableCheckpointError) else f"{type(error).__name__}: {error}"
