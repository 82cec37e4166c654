"""One search on its own: checked, run in this process, and kept in a folder epoch by epoch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metaopt.core.errors import RunError, raise_together
from metaopt.core.interrupt import Interrupt
from metaopt.core.machine import cores, host, versions
from metaopt.core.paths import TRAJECTORY, write_atomically
from metaopt.core.system_errors import explaining
from metaopt.core.trial import Result, Trial
from metaopt.objectives import scratch
from metaopt.objectives.oneshot import OneShot
from metaopt.objectives.trajectory import TrajectoryEpoch
from metaopt.oneshot.train import SearchDivergedError
from metaopt.settings.field import MOST_SEED, check, field
from metaopt.settings.search import SearchTask

RECORD = "search.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan(SearchTask):
    """All that a search depends on.

    Attributes:
        optimizer: Name of a one-shot optimizer.
        space: Name or file of the space that the hyperparameters' defaults are from.
        config: Hyperparameters by name.
        epochs: Of the search; None: the benchmark's largest.
        seed: Of everything random in it.

    Raises:
        ConfigError: naming every value that is out of range.
    """

    optimizer: str
    space: str
    config: Mapping[str, Any]
    epochs: int | None = field(None, "epochs of the search", ge=1, otherwise="largest of the benchmark")
    seed: int = field(0, "seed of everything random in the search", ge=0, le=MOST_SEED)

    def __post_init__(self) -> None:
        raise_together(check(self))


@dataclass(frozen=True)
class PreparedSearch:
    """A search whose settings fit together.

    Attributes:
        plan: Its settings.
        objective: Which runs and scores it.
        trial: What is evaluated.
    """

    plan: SearchPlan
    objective: OneShot
    trial: Trial


def prepare(plan: SearchPlan) -> PreparedSearch:
    """Checks what only the parts of a search themselves can check.

    Raises:
        MetaoptError: for the first thing that does not fit: optimizer, benchmark, table, hyperparameters, device.
    """
    objective = OneShot(optimizer=plan.optimizer, space=plan.space, default=plan.config, **plan.task)
    trial = Trial(0, 0, plan.config, plan.epochs or objective.epochs[1], plan.seed)
    objective.search(trial)
    return PreparedSearch(plan, objective, trial)


def make_folder(folder: Path) -> None:
    """Makes the folder of a search.

    Raises:
        RunError: if it exists and holds anything, or cannot be made.
    """
    with explaining(f"cannot make the folder {folder}", "name a folder you may write to with --out"):
        folder.mkdir(parents=True, exist_ok=True)
        kept = sorted(entry.name for entry in folder.iterdir())
        try:
            if not kept:
                write_atomically(folder / TRAJECTORY, "{}", new=True)
        except FileExistsError:  # another search has begun there meanwhile
            kept = [TRAJECTORY]
    if kept:
        raise RunError(f"the folder {folder} is not empty: it holds {', '.join(kept[:3])}", "name a new one with --out")


def run(
    prepared: PreparedSearch,
    folder: Path,
    command: Sequence[str],
    watch: Callable[[TrajectoryEpoch], None],
    interrupted: Interrupt,
) -> dict[str, Any]:
    """Searches, and keeps in ``folder`` what it was and what came out, however it ends.

    Args:
        prepared: The search.
        folder: An empty folder.
        command: That it was started with, for the record.
        watch: Is told of every epoch after it is kept.
        interrupted: Which catches signals; the first one ends the search on the spot.

    Returns:
        The record: settings, objective, versions, ``result`` and the ``rank`` of its cell in the table, None without
        one. The result's status is ``crashed`` if the search diverged, ``stopped`` if it was interrupted.
    """

    def told(epoch: TrajectoryEpoch) -> None:
        watch(epoch)
        if interrupted():  # some library may have swallowed the exception
            raise KeyboardInterrupt

    record = _record(prepared, command)
    _keep(record, folder)
    began = time.monotonic()
    try:
        with explaining(f"the search cannot write to {folder}"), interrupted.at_once():
            result = prepared.objective.evaluate(prepared.trial, folder, told)
    except SearchDivergedError as error:
        result = Result(0, "crashed", reason=str(error))
    except KeyboardInterrupt:
        result = Result(0, "stopped", reason="interrupted")
    scratch.discard(folder)  # nobody goes on with a single search
    if result.status != "ok":
        trained = len(trajectory(folder).get("epoch", ()))
        result = replace(result, cost_s=round(time.monotonic() - began, 3), epochs=trained)
    info = {name: value for name, value in result.info.items() if name != "trajectory"}  # which has a file of its own
    record["result"] = {**result.to_json(), "info": info}
    if result.valid_error is not None:
        record["rank"] = prepared.objective.answers.table.rank(result.valid_error)
    _keep(record, folder)
    return record


def trajectory(folder: Path) -> dict[str, list[Any]]:
    """Returns the columns of the search's epochs so far, see :class:`metaopt.objectives.trajectory.Trajectory`."""
    columns: dict[str, list[Any]] = json.loads((folder / TRAJECTORY).read_bytes())
    return columns


def _record(prepared: PreparedSearch, command: Sequence[str]) -> dict[str, Any]:
    return {
        "run": {**asdict(prepared.plan), "epochs": prepared.trial.epochs},
        "objective": prepared.objective.describe(),
        "versions": versions(),
        "host": host(cores()),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(command),
        "result": None,
        "rank": None,
    }


def _keep(record: Mapping[str, Any], folder: Path) -> None:
    with explaining(f"cannot write {folder / RECORD}"):
        write_atomically(folder / RECORD, json.dumps(record, indent=2, allow_nan=False) + "\n")
