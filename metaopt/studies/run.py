"""Runs a study: starts what is missing, goes on with what was interrupted, leaves alone what is finished.

The journals of the runs are its only state, so a study that was killed at any instant is simply started again. Runs
that only look up are done in a minute: several at a time, each in a worker process of a local Dask cluster. A search
has worker processes of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from metaopt.core.errors import RunError, raise_together
from metaopt.core.interrupt import Interrupt
from metaopt.core.wording import counted, differences
from metaopt.executors.dask.local import local_cluster, run_all
from metaopt.runs import launch
from metaopt.runs.failures import EveryTrialFailsError
from metaopt.runs.folder import RunFolder
from metaopt.runs.header import of_journal
from metaopt.runs.plan import PlannedRun
from metaopt.runs.record import RunRecord
from metaopt.settings.run import RESUMABLE, BaselineSettings
from metaopt.studies.file import StudyPlan

README = "README.md"
_OURS = "`metaopt compare "


def check_folder(plan: StudyPlan, out: Path, journals: Path) -> None:
    """Checks that the folder of a study holds this study or nothing.

    Args:
        plan: The study.
        out: Its folder.
        journals: Where the folders of its runs can be read.

    Raises:
        RunError: if its README is not one that ``metaopt compare`` wrote, or if a run in it was made with other
            settings than the study's file says; names all that differ.
        JournalError: if a journal is damaged elsewhere than in its last line.
    """
    readme = out / README
    if readme.is_file() and not readme.read_text(encoding="utf-8", errors="replace").startswith(_OURS):
        raise RunError(
            f"{readme} would be overwritten, and it is not that of a study",
            "move the study's file into a folder of its own, or name another folder with --out",
        )
    found: dict[str, list[str]] = {}
    for run in plan.runs:
        if differing := _made_otherwise(run, RunFolder(journals / run.name)):
            found.setdefault("; ".join(differing), []).append(run.name)
    hint = "change the study's file back, name another folder with --out, or move away what was made otherwise"
    raise_together(RunError(_made_with(out, names, differing), hint) for differing, names in found.items())


def _made_with(out: Path, names: Sequence[str], differing: str) -> str:
    if len(names) == 1:
        return f"{out / names[0]} was made with {differing}"
    return f"{len(names)} runs in {out} were made with {differing}: {', '.join(names)}"


def _made_otherwise(run: PlannedRun, folder: RunFolder) -> list[str]:
    """Returns in which settings a run that has begun differs from what the study says."""
    if not folder.begun:
        return []
    with of_journal(folder.journal):
        header = RunRecord.read(folder).header  # with what it was extended by
        made, space = header.config.to_json(), header.space
    wanted = {name: value for name, value in _as_read(run.settings.to_json()).items() if name not in RESUMABLE}
    same = _without_notes(space) == _without_notes(_as_read(run.space))
    return differences(made, wanted) + ([] if same else ["other hyperparameters in its space"])


def _without_notes(space: Any) -> Any:
    """Returns a space without what only its reader is told: units and sources."""
    if not isinstance(space, dict) or not isinstance(space.get("hyperparameters"), list):
        return space
    return {
        **space,
        "hyperparameters": [
            {name: value for name, value in entry.items() if name != "meta"} if isinstance(entry, dict) else entry
            for entry in space["hyperparameters"]
        ],
    }


def _as_read(values: Mapping[str, Any]) -> Any:
    """Returns plain values as a journal gives them back."""
    return json.loads(json.dumps(values))


def unfinished(plan: StudyPlan, journals: Path) -> list[PlannedRun]:
    """Returns the runs that have not come to their end, or not begun, by what can be read in ``journals``."""
    folders = ((run, RunFolder(journals / run.name)) for run in plan.runs)
    return [run for run, folder in folders if not (folder.begun and RunRecord.read(folder).finished)]


def run_missing(
    missing: Sequence[PlannedRun],
    out: Path,
    command: Sequence[str],
    console: Console,
    interrupted: Interrupt,
    at_once: int = 1,
) -> bool:
    """Runs what is not finished: first the runs that only look up, ``at_once`` at a time, then the others in turn.

    Args:
        missing: The runs.
        out: Folder of the study; each run has a folder in it.
        command: For the journals of new runs.
        console: Where to show progress.
        interrupted: Whether to stop early.
        at_once: Runs at a time, of those that only look up.

    Returns:
        Whether all of it is finished now; False if it was interrupted.

    Raises:
        EveryTrialFailsError: after all runs, if some of them were given up, for each of which it says why.
        RunError: if a folder cannot be made or is in use, or if no worker is left.
    """
    quick = [run for run in missing if isinstance(run.settings, BaselineSettings)]
    if at_once == 1 or len(quick) == 1:
        quick = []
    apart = {run.name for run in quick}
    others = [run for run in missing if run.name not in apart]
    given_up: list[EveryTrialFailsError] = []
    if not _run_side_by_side(quick, out, command, console, interrupted, at_once, given_up):
        return False
    if not _run_in_turn(others, out, command, console, interrupted, given_up):
        return False
    if given_up:
        text = f"given up: {counted(len(given_up), 'run')} of {len(missing)}\n- "
        raise EveryTrialFailsError(text + "\n- ".join(str(error).replace("\n", "\n  ") for error in given_up))
    return True


def _run_side_by_side(
    runs: Sequence[PlannedRun],
    out: Path,
    command: Sequence[str],
    console: Console,
    interrupted: Interrupt,
    at_once: int,
    given_up: list[EveryTrialFailsError],
) -> bool:
    """Runs all, several at a time; nothing is lost where it is stopped. Adds to what is given up."""
    if not runs:
        return True
    try:
        with interrupted.at_once():
            for done, failure in enumerate(run_side_by_side(runs, out, command, at_once), start=1):
                given_up += [] if failure is None else [failure]
                _say(console, f"{done} of {len(runs)} baselines")
    except KeyboardInterrupt:
        return False
    return True


def _run_in_turn(
    runs: Sequence[PlannedRun],
    out: Path,
    command: Sequence[str],
    console: Console,
    interrupted: Interrupt,
    given_up: list[EveryTrialFailsError],
) -> bool:
    for number, run in enumerate(runs, start=1):
        if interrupted():
            return False
        _say(console, f"run {number} of {len(runs)}: {run.name}")
        try:
            if not _do(run, out, command, console, interrupted):
                return False
        except EveryTrialFailsError as error:
            _say(console, f"given up: {error.message}")
            given_up.append(error)
    return True


def run_side_by_side(
    runs: Sequence[PlannedRun], out: Path, command: Sequence[str], at_once: int
) -> Iterator[EveryTrialFailsError | None]:
    """Does all runs, at most ``at_once`` at a time, and yields for each that has ended why it was given up, if it was.

    Whoever stops in between loses nothing: their journals hold what was done.

    Raises:
        MetaoptError: that of the first run that cannot be done.
    """
    with local_cluster(min(at_once, len(runs))) as client:
        yield from run_all(client, partial(_do_quietly, out=out, command=command), runs)


def _do_quietly(run: PlannedRun, out: Path, command: Sequence[str]) -> EveryTrialFailsError | None:
    """Runs in a worker process, which signals do not reach: it ends with the cluster."""
    try:
        _do(run, out, command, Console(quiet=True), Interrupt())
    except EveryTrialFailsError as error:
        return error
    return None


def _do(run: PlannedRun, out: Path, command: Sequence[str], console: Console, interrupted: Interrupt) -> str:
    """Begins a run or goes on with it.

    Returns:
        Why it ended; empty if it was interrupted.

    Raises:
        EveryTrialFailsError: if it is given up.
        RunError: if its folder cannot be made or is in use, or if no worker is left.
    """
    folder = RunFolder(out / run.name)
    if folder.begun:
        return launch.resume(folder, {name: getattr(run.settings, name) for name in RESUMABLE}, console, interrupted)
    # A copy, so that its objective is not kept open for as long as the study runs.
    return launch.start(replace(run), folder, command, console, interrupted)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
