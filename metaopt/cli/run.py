"""``metaopt tune``, ``baseline``, ``resume`` and ``confirm``."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from metaopt.cli import FAILED, INTERRUPTED, OK
from metaopt.core import machine
from metaopt.core.errors import ConfigError
from metaopt.core.interrupt import Interrupt
from metaopt.core.wording import counted
from metaopt.runs.config import load_config
from metaopt.runs.draws import only_draws
from metaopt.runs.folder import RunFolder, new_folder
from metaopt.runs.record import SIDES, RunRecord
from metaopt.runs.status import Score
from metaopt.settings.run import RESUMABLE, BaselineSettings, RunSettings, TuneSettings, settings

_LIMITS = ("budget", "budget_epochs", "budget_seconds")


def tune(arguments: Namespace) -> int:
    """Tunes a one-shot optimizer in a new run folder."""
    return _start(TuneSettings, arguments)


def baseline(arguments: Namespace) -> int:
    """Looks for cells in a new run folder."""
    return _start(BaselineSettings, arguments)


def _start(kind: type[RunSettings], arguments: Namespace) -> int:
    flags = {of.name: value for of in settings(kind) if (value := getattr(arguments, of.name, None)) is not None}
    config = load_config(kind, flags, os.environ, arguments.config)
    _say_what_begins(config)
    # From here on, since some library swallows a KeyboardInterrupt while it is imported.
    with Interrupt() as interrupted:
        from rich.console import Console

        from metaopt.runs import launch
        from metaopt.runs.plan import plan

        run = plan(config)
        if interrupted():
            return INTERRUPTED
        folder = RunFolder(Path(run.settings.folder or new_folder(Path("runs") / run.name)))
        end = launch.start(run, folder, machine.command_line(), Console(stderr=True), interrupted)
    return close(folder, end, not arguments.no_report, run.settings.cluster)


def _say_what_begins(config: RunSettings) -> None:
    """Prints a line before the second that imports take."""
    what = config.optimizer if isinstance(config, TuneSettings) else "cells"
    print(
        f"{config.tuner} on {what}: benchmark {config.benchmark}, cell space {config.cell_space}, seed {config.seed}",
        file=sys.stderr,
        flush=True,
    )


def resume(arguments: Namespace) -> int:
    """Goes on in the folder of a run."""
    budget = {name: value for name in _LIMITS if (value := getattr(arguments, name)) is not None}
    return _go_on(arguments, budget=budget)


def confirm(arguments: Namespace) -> int:
    """Adds searches to the confirmation of a run that has come to its end."""
    if arguments.to < 1:
        raise ConfigError(f"--to is {arguments.to}; allowed: 1 or more", "say how many searches each is to have")
    return _go_on(arguments, searches=arguments.to)


def _go_on(arguments: Namespace, **further: Any) -> int:
    folder = RunFolder(arguments.run)
    changes = {name: value for name in RESUMABLE if (value := getattr(arguments, name)) is not None}
    with Interrupt() as interrupted:
        from rich.console import Console

        from metaopt.runs import launch

        end = launch.resume(folder, changes, Console(stderr=True), interrupted, **further)
    return close(folder, end, not arguments.no_report, changes.get("cluster"))


def close(folder: RunFolder, end: str, wants_report: bool, cluster: str | None, *, scores: bool = True) -> int:
    """Says what the run has found, or how to go on with it.

    Args:
        folder: Of the run.
        end: Why it ended; empty if it was interrupted.
        wants_report: Whether to write one.
        cluster: Where it goes on.
        scores: Whether it was to find anything: of searches that are only recorded the lowest error is luck.

    Returns:
        The exit code.
    """
    if not end:
        from metaopt.runs import launch

        print(f"interrupted; go on with: {launch.resume_command(folder, cluster)}")
        return INTERRUPTED
    record = RunRecord.read(folder)
    print(f"finished: {end}")
    print("\n".join((*_findings(record), *_confirmed(record)) if scores else _counts(record)))
    if wants_report:
        from metaopt.report.pages.run import write_report

        print(f"report: {write_report([folder.path], None)}")
    if record.incumbent is None:
        print(f"metaopt: none of {counted(record.tally.done, 'evaluation')} has succeeded", file=sys.stderr)
        return FAILED
    return OK


def _counts(record: RunRecord) -> Iterable[str]:
    status = record.status
    done, epochs = counted(status.done, "evaluation"), counted(status.epochs, "epoch")
    predicted = f"{status.predicted} predicted, " if status.predicted else ""
    restarts = f"{counted(status.restarts, 'restart')}, " if status.restarts else ""
    seconds = f"{status.elapsed_s:.0f} s{' (simulated)' if record.simulated else ''}"
    yield f"{done}, {status.failed} failed, {restarts}{predicted}{epochs}, {seconds}"


def _findings(record: RunRecord) -> Iterable[str]:
    yield from _counts(record)
    status, optimum = record.status, record.header.objective.get("optimum_valid_error")
    if record.default is not None:
        yield _row("default", status.default, optimum)
    yield _row("incumbent", status.incumbent, optimum)
    if record.incumbent is not None:
        yield from (f"    {name}: {value}" for name, value in record.incumbent.config.items())
    if sentence := only_draws(record.header.settings, record.trials):
        yield f"  {sentence}"


def _row(name: str, score: Score | None, optimum: float | None) -> str:
    if score is None:
        return f"  {name:<10}no finished evaluation"
    test = "" if score.test_error is None else f"  test error {score.test_error:.4f}"
    regret = "" if optimum is None else f"  regret {score.valid_error - optimum:.4f}"
    source = f"(trial {score.trial_id}, {counted(score.epochs, 'epoch')})"
    return f"  {name:<10}valid error {score.valid_error:.4f}{regret}{test}  {source}"


def _confirmed(record: RunRecord) -> Iterable[str]:
    found, names = record.confirmation, {"default": "default", "tuned": "incumbent"}
    if found is None:
        return
    yield "searched again with fresh seeds:"
    both = any(trial.key == SIDES["tuned"] for trial in found.journal.trials)
    for side in SIDES:
        if not found.results(side):
            text = "is the default" if side == "tuned" and not both else "no finished search"
            yield f"  {names[side]:<10}{text}"
            continue
        for kind in ("valid_error", "test_error"):
            yield f"  {names[side]:<10}{_mean(record, found.errors(side, kind), len(found.results(side)), kind)}"


def _mean(record: RunRecord, errors: Sequence[float], n: int, kind: str) -> str:
    name, searches = kind.replace("_", " "), counted(n, "search", "searches")
    if not errors:
        return f"{name}: none of {searches} has one"
    mean, optimum = fmean(errors), record.header.objective.get(f"optimum_{kind}")
    regret = "" if optimum is None else f", regret {mean - optimum:.4f}"
    each = ", ".join(f"{error:.4f}" for error in errors)
    return f"mean {name} {mean:.4f}{regret}  ({each}; {len(errors)} of {searches})"
