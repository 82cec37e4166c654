"""``metaopt compare``: runs a study, then writes its tables and figures."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from metaopt.cli import FAILED, INTERRUPTED, OK, USER_ERROR
from metaopt.core import machine
from metaopt.core.errors import ConfigError
from metaopt.core.interrupt import Interrupt
from metaopt.core.machine import cores
from metaopt.core.system_errors import explaining
from metaopt.core.wording import command, shown
from metaopt.runs.failures import EveryTrialFailsError
from metaopt.runs.folder import RunFolder
from metaopt.runs.record import RunRecord
from metaopt.settings.run import RESUMABLE
from metaopt.studies.archive import in_use, journals, pack
from metaopt.studies.file import StudyPlan, load_study
from metaopt.studies.run import check_folder, run_missing, unfinished

if TYPE_CHECKING:
    from metaopt.report.pages.study import StudyText


def compare(arguments: Namespace) -> int:
    """Runs what a study lacks and writes what its journals say, or only one of the two."""
    out: Path = arguments.out or arguments.study.parent
    changes = {name: value for name in RESUMABLE if (value := getattr(arguments, name)) is not None}
    runs_nothing = arguments.no_run or arguments.check
    given_up: EveryTrialFailsError | None = None
    with ExitStack() as use:
        with Interrupt() as interrupted:
            plan, at_once = load_study(arguments.study, changes), _at_once(arguments)
            if not runs_nothing:
                with explaining(f"cannot make the folder {out}", "name another one with --out"):
                    out.mkdir(parents=True, exist_ok=True)
            use.enter_context(in_use(out))
            with journals(out) as place:
                check_folder(plan, out, place)
                missing = [] if runs_nothing else unfinished(plan, place)
            if missing and plan.clusters:
                raise _of_others(arguments, changes, plan.clusters[0])
            console, line = Console(stderr=True), machine.command_line()
            try:
                if not run_missing(missing, out, line, console, interrupted, at_once):
                    print(f"interrupted; go on with: {_command(arguments, changes)}")
                    return INTERRUPTED
            except EveryTrialFailsError as error:  # the study is written with what there is
                given_up = error
        with journals(out) as place:
            code = (_check if arguments.check else _write)(arguments, plan, out, place)
            lacking = {run.name for run in unfinished(plan, place)}
            done = [run.name for run in missing if run.name not in lacking]
            fruitless = [name for name in done if RunRecord.read(RunFolder(place / name)).incumbent is None]
    if arguments.pack:
        pack(out, [run.name for run in plan.runs if run.name not in lacking])
    if fruitless:
        print(f"metaopt: no evaluation has succeeded in {', '.join(fruitless)}", file=sys.stderr)
    if given_up is not None:
        raise given_up
    return code or (FAILED if fruitless else OK)


def _of_others(arguments: Namespace, changes: Mapping[str, object], cluster: str) -> ConfigError:
    """Returns the error for a cluster that is named by the study's file only."""
    named = _command(arguments, {**changes, "cluster": cluster if "://" in cluster else Path(cluster)})
    return ConfigError(
        f"{arguments.study} says that runs go to the cluster {shown(cluster)}; a study may be another's, and whoever "
        "has made that cluster could run code as you",
        f"if it is yours, say so: {named}; on this machine: {_command(arguments, {**changes, 'executor': 'dask'})}",
    )


def _write(arguments: Namespace, plan: StudyPlan, out: Path, place: Path) -> int:
    from metaopt.report.pages.study import write_study

    print(f"study: {write_study(_text(arguments, plan, place), out, place)}")
    return OK


def _check(arguments: Namespace, plan: StudyPlan, out: Path, place: Path) -> int:
    from metaopt.report.pages.study import check_study

    if differing := check_study(_text(arguments, plan, place), out, place):
        again = f"write it anew with: {_command(arguments, {})} --no-run"
        print("\n".join([*(f"differs: {name}" for name in differing), again]))
        return USER_ERROR
    print("the study equals its journals")
    return OK


def _at_once(arguments: Namespace) -> int:
    """Returns how many baselines may run at a time.

    Raises:
        ConfigError: if the number is below 1.
    """
    wanted: int = cores() if arguments.at_once is None else arguments.at_once
    if wanted < 1:
        raise ConfigError(f"--at-once must be at least 1, got {wanted}", "leave it out for as many as there are cores")
    return wanted


def _command(arguments: Namespace, changes: Mapping[str, object]) -> str:
    options = {**({} if arguments.out is None else {"out": arguments.out}), **changes}
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    return command("compare", arguments.study, *words)


def _text(arguments: Namespace, plan: StudyPlan, place: Path) -> StudyText:
    """Returns what the page says of the study; where runs run is no part of it."""
    from metaopt.report.pages.study import StudyText

    names = tuple(run.name for run in plan.runs)
    lacking = tuple(run.name for run in unfinished(plan, place))
    return StudyText(plan.title, plan.text, _command(arguments, {}), names, lacking)
