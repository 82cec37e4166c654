"""``metaopt status``."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from metaopt.cli import OK
from metaopt.core.wording import command, counted
from metaopt.runs.folder import RunFolder
from metaopt.runs.record import RunRecord
from metaopt.runs.status import Score


def status(arguments: Namespace) -> int:
    """Prints how a run stands."""
    record = RunRecord.read(RunFolder(arguments.run))
    found = record.to_json()
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(_lines(found, record.simulated)))
    return OK


def _lines(status: dict[str, Any], simulated: bool = False) -> list[str]:
    tuning, budget = status["tuning"], status["budget"]
    state = status["state"]
    if status["driver"]:
        state += f" ({status['driver']})"
    if status["state"] == "interrupted":
        state += f"; go on with: {command('resume', Path(status['run']))}"
    waiting = "running" if status["driver"] else "to run again"
    limits = ", ".join(counted(limit, kind[:-1]) for kind, limit in budget.items() if limit is not None)
    predicted = f", {tuning['predicted']} predicted" if tuning["predicted"] else ""
    restarts = f", {counted(tuning['restarts'], 'restart')}" if tuning["restarts"] else ""
    counts = f"{tuning['failed']} failed{restarts}{predicted}"
    lines = [
        f"run        {status['run']}",
        f"state      {state}",
        f"budget     {limits}" + (f"; {status['end']}" if status["end"] else ""),
        f"trials     {tuning['done']} done ({counts}), {tuning['running']} {waiting}",
        f"epochs     {tuning['epochs']}",
        f"seconds    {tuning['elapsed_s']:.0f}"
        + (f", about {tuning['left_s']:.0f} left" if tuning["left_s"] is not None and not status["end"] else "")
        + (" (simulated)" if simulated else ""),
        *([f"default    {_score(tuning['default'])}"] if status["has_default"] else []),
        f"incumbent  {_score(tuning['incumbent'])}",
    ]
    if status["confirming"]:
        lines.append(f"confirming {status['confirming']['done']} done, {status['confirming']['running']} {waiting}")
    return lines + ([f"journal    {status['torn']}"] if status["torn"] else [])


def _score(score: dict[str, Any] | None) -> str:
    if score is None:
        return "no finished evaluation yet"
    found = Score(**score)
    return f"valid error {found.valid_error:.4f} at {counted(found.epochs, 'epoch')} (trial {found.trial_id})"
