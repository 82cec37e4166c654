"""``metaopt search``: one search, watched epoch by epoch."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import Console

from metaopt.cli import INTERRUPTED, OK
from metaopt.cli.flags import given
from metaopt.cli.hyperparameters import hyperparameters
from metaopt.core.errors import RunError
from metaopt.core.interrupt import Interrupt
from metaopt.core.machine import command_line
from metaopt.core.paths import TRAJECTORY
from metaopt.core.wording import counted
from metaopt.runs import search as search_run
from metaopt.runs.folder import new_folder
from metaopt.runs.search import PreparedSearch, SearchPlan
from metaopt.runs.search_progress import SearchProgress


def search(arguments: Namespace) -> int:
    """Searches in a new folder, and writes what it was like."""
    with Interrupt() as interrupted:
        prepared = search_run.prepare(_plan(arguments))
        if interrupted():
            return INTERRUPTED
        folder: Path = arguments.out or new_folder(_default_folder(prepared.plan))
        search_run.make_folder(folder)
        record = _run(prepared, folder, interrupted)
    columns = search_run.trajectory(folder)
    page = _page(record, columns, folder) if columns else None
    places = [f"trajectory: {folder / TRAJECTORY}", *([f"report: {page}"] if page else [])]
    result, trained = record["result"], len(columns.get("epoch", ()))
    if result["status"] == "crashed":
        kept = f"{counted(trained, 'epoch')} before that: see {folder}" if trained else f"what it was is in {folder}"
        raise RunError(f"the search diverged: {result['reason']}", f"lower {_rates(prepared)}; {kept}")
    if result["status"] == "stopped":
        print(f"interrupted after {counted(trained, 'epoch')}", *places, sep="\n")
        return INTERRUPTED
    print(*_findings(record, trained), *places, sep="\n")
    return OK


def _page(record: Mapping[str, Any], columns: Mapping[str, Any], folder: Path) -> Path:
    from metaopt.report.pages.search import write_search

    return write_search(record, columns, folder / "report")


def _plan(arguments: Namespace) -> SearchPlan:
    space = arguments.space or arguments.optimizer
    config = hyperparameters(arguments.optimizer, arguments.set, space)
    return SearchPlan(
        optimizer=arguments.optimizer,
        space=space,
        # Optimizers whose pick is costly make one at the end only by themselves; here every epoch is looked at.
        config={"cell_every": 1, **config},
        **given(arguments, SearchPlan),
    )


def _default_folder(plan: SearchPlan) -> Path:
    return Path("runs") / f"search-{plan.optimizer}-{plan.benchmark}{plan.cell_space}-s{plan.seed}"


def _run(prepared: PreparedSearch, folder: Path, interrupted: Interrupt) -> dict[str, Any]:
    console = Console(stderr=True)
    console.print(f"search folder: {folder}", markup=False, highlight=False, soft_wrap=True)
    with SearchProgress(prepared.trial.epochs, prepared.objective.answers.optimum(), console) as progress:
        return search_run.run(prepared, folder, command_line(), progress, interrupted)


def _rates(prepared: PreparedSearch) -> str:
    """Returns the learning rates of the search, any of which may be what diverged, as they are set."""
    names = [field.name for field in fields(prepared.objective.optimizer.Settings)]
    return " or ".join(f"--set {name}=..." for name in names if name.endswith("learning_rate"))


def _findings(record: Mapping[str, Any], trained: int) -> Iterable[str]:
    result, objective = record["result"], record["objective"]
    info = result["info"]
    asked = record["run"]["epochs"]
    short_or_long = "" if trained == asked else f" (asked: {asked})"
    yield f"finished: {counted(trained, 'epoch')}{short_or_long} in {result['cost_s']:.0f} s"
    yield from (f"  {note}" for note in info.get("notes", ()))
    yield f"  cell            {info['cell']}"
    yield f"  hash            {info['cell_hash']}"
    for kind in ("valid", "test"):
        error = result[f"{kind}_error"]
        regret = error - objective[f"optimum_{kind}_error"]
        place = f"  rank {record['rank']} of {objective['table']['cells']}" if kind == "valid" else ""
        yield f"  {f'{kind} error':<16}{error:.4f}  regret {regret:.4f}{place}"
    yield f"  one-shot error  {info['one_shot_error']:.4f}"
