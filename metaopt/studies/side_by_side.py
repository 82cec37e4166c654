"""Runs of a study that are done in a minute, several at a time: each in a worker process of a local Dask cluster.

Only runs whose evaluations need no process of their own come here; a search has worker processes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from metaopt.core.interrupt import Interrupt
from metaopt.executors.dask.local import local_cluster, run_all
from metaopt.runs import launch
from metaopt.runs.failures import EveryTrialFailsError
from metaopt.runs.folder import RunFolder
from metaopt.settings.run import RESUMABLE, RunSettings


@dataclass(frozen=True, slots=True)
class Lone:
    """A run with all that it takes to do it, anywhere.

    Attributes:
        config: Its settings.
        space: Its hyperparameters as plain JSON values.
        folder: Its folder, which need not be there.
        command: For the journal of a new run.
    """

    config: RunSettings
    space: Mapping[str, Any]
    folder: Path
    command: Sequence[str]


def do(lone: Lone, console: Console, interrupted: Interrupt) -> str:
    """Begins a run or goes on with it.

    Returns:
        Why it ended; empty if it was interrupted.

    Raises:
        EveryTrialFailsError: if it is given up.
        RunError: if its folder cannot be made or is in use, or if no worker is left.
    """
    folder = RunFolder(lone.folder)
    if folder.begun:
        return launch.resume(folder, {name: getattr(lone.config, name) for name in RESUMABLE}, console, interrupted)
    return launch.start(launch.prepare(lone.config, lone.space), folder, lone.command, console, interrupted)


def run_side_by_side(runs: Sequence[Lone], at_once: int) -> Iterator[EveryTrialFailsError | None]:
    """Does all runs, ``at_once`` at a time, and yields for each that has ended whether it was given up, and why.

    Whoever stops in between loses nothing: their journals hold what was done.

    Raises:
        MetaoptError: that of the first run that cannot be done.
    """
    with local_cluster(at_once) as client:
        yield from run_all(client, _do_quietly, runs)


def _do_quietly(lone: Lone) -> EveryTrialFailsError | None:
    """Runs in a worker process, which signals do not reach: it ends with the cluster."""
    try:
        do(lone, Console(quiet=True), Interrupt())
    except EveryTrialFailsError as error:
        return error
    return None
