"""``metaopt tune`` and ``metaopt resume``."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console

from metaopt.cli import FAILED, INTERRUPTED, OK
from metaopt.core import machine
from metaopt.core.interrupt import Interrupt
from metaopt.core.registry import load
from metaopt.core.wording import counted
from metaopt.runs import launch
from metaopt.runs.config import load_config
from metaopt.runs.draws import only_draws
from metaopt.runs.folder import RunFolder, new_folder
from metaopt.runs.journal import RunRecord
from metaopt.runs.plan import plan
from metaopt.runs.status import RunStatus, Score
from metaopt.settings.run import RESUMABLE, BaselineSettings, RunSettings, TuneSettings, settings


def tune(arguments: Namespace) -> int:
    """Tunes a one-shot optimizer in a new run folder."""
    return _start(TuneSettings, arguments)


def baseline(arguments: Namespace) -> int:
    """Looks for cells in a new run folder."""
    return _start(BaselineSettings, arguments)


def _start(kind: type[RunSettings], arguments: Namespace) -> int:
    flags = {of.name: value for of in settings(kind) if (value := getattr(arguments, of.name, None)) is not None}
    config = load_config(kind, flags, os.environ, arguments.config)
    # From here on, since some library swallows a KeyboardInterrupt while it is imported.
    with Interrupt() as interrupted:
        run = plan(config)
        if interrupted():
            return INTERRUPTED
        folder = RunFolder(Path(run.settings.folder or new_folder(Path("runs") / run.name)))
        end = launch.start(run, folder, machine.command_line(), Console(stderr=True), interrupted)
    return close(folder, end, not arguments.no_report, run.settings.cluster)


def resume(arguments: Namespace) -> int:
    """Goes on in the folder of a run."""
    folder = RunFolder(arguments.run)
    changes = {name: value for name in RESUMABLE if (value := getattr(arguments, name)) is not None}
    with Interrupt() as interrupted:
        end = launch.resume(folder, changes, Console(stderr=True), interrupted)
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
        print(f"interrupted; go on with: {launch.resume_command(folder, cluster)}")
        return INTERRUPTED
    recorded = folder.read()
    print(f"finished: {end}")
    print("\n".join(list(_findings(recorded))[: None if scores else 1]))
    if folder.confirmation.begun:
        print("\n".join(_confirmed(folder.confirmation.read(), recorded)))
    if wants_report:
        print(f"report: {load('metaopt.report.pages.run:write_report')([folder.path], None)}")
    if recorded.incumbent is None:
        print(f"metaopt: none of {counted(len(recorded.results), 'evaluation')} has succeeded", file=sys.stderr)
        return FAILED
    return OK


def _findings(recorded: RunRecord) -> Iterable[str]:
    record = recorded.record
    standing = RunStatus.of(recorded, record.config.limits)
    optimum = record.objective.get("optimum_valid_error")
    done, epochs = counted(standing.done, "evaluation"), counted(standing.epochs, "epoch")
    predicted = f"{standing.predicted} predicted, " if standing.predicted else ""
    restarts = f"{counted(standing.restarts, 'restart')}, " if standing.restarts else ""
    yield f"{done}, {standing.failed} failed, {restarts}{predicted}{epochs}, {standing.elapsed_s:.0f} s"
    if record.has_default:
        yield _row("default", standing.default, optimum)
    yield _row("incumbent", standing.incumbent, optimum)
    if recorded.incumbent is not None:
        yield from (f"    {name}: {value}" for name, value in recorded.incumbent.config.items())
    if sentence := only_draws(record.settings, recorded.trials):
        yield f"  {sentence}"


def _row(name: str, score: Score | None, optimum: float | None) -> str:
    if score is None:
        return f"  {name:<10}no finished evaluation"
    test = "" if score.test_error is None else f"  test error {score.test_error:.4f}"
    regret = "" if optimum is None else f"  regret {score.valid_error - optimum:.4f}"
    source = f"(trial {score.trial_id}, {counted(score.epochs, 'epoch')})"
    return f"  {name:<10}valid error {score.valid_error:.4f}{regret}{test}  {source}"


def _confirmed(recorded: RunRecord, tuned: RunRecord) -> Iterable[str]:
    yield "searched again with fresh seeds:"
    objective = tuned.record.objective
    both = any(trial.key == 1 for trial in recorded.trials)
    for key, name in ((0, "default"), (1, "incumbent")):
        results = [recorded.results[t.id] for t in recorded.trials if t.key == key and t.id in recorded.results]
        if not results:
            yield f"  {name:<10}" + ("no finished search" if both or key == 0 else "is the default")
            continue
        for kind in ("valid_error", "test_error"):
            errors = [e for r in results if r.status == "ok" and (e := getattr(r, kind)) is not None]
            yield _means(name, kind.replace("_", " "), errors, len(results), objective.get(f"optimum_{kind}"))


def _means(name: str, kind: str, errors: list[float], n: int, optimum: Any) -> str:
    if not errors:
        return f"  {name:<10}{kind}: none of {counted(n, 'search', 'searches')} has one"
    mean = sum(errors) / len(errors)
    regret = "" if optimum is None else f", regret {mean - optimum:.4f}"
    each = ", ".join(f"{error:.4f}" for error in errors)
    return f"  {name:<10}mean {kind} {mean:.4f}{regret}  ({each}; {len(errors)} of {counted(n, 'search', 'searches')})"
