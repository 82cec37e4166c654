"""Runs in the formats of others: one file that holds every trial, for other programs to open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metaopt.core.errors import RunError
from metaopt.core.paths import replacing
from metaopt.core.registry import resolve
from metaopt.core.system_errors import explaining
from metaopt.report import EXPORTERS
from metaopt.report.data.load import RunData, load_runs

#: Endings of files that are not called like their format.
_ENDINGS = {"optuna": "db"}


def export(folders: Sequence[Path], to: str, out: Path | None) -> Path:
    """Writes all trials of some runs into one file.

    Args:
        folders: Of the runs, finished or not.
        to: Name in :data:`metaopt.report.EXPORTERS`.
        out: The file; None for ``trials`` with the format's ending in the folder of a single run.

    Returns:
        The file.

    Raises:
        RunError: if a folder is no run folder, if the file exists or cannot be written, or if several runs have none.
        JournalError: if a journal is damaged elsewhere than in its last line.
    """
    exporter = resolve("format", EXPORTERS, to)
    if out is None and len(folders) != 1:
        ending = _ENDINGS.get(to, to)
        raise RunError(
            f"an export of {len(folders)} runs has no folder of its own", f"name a file: --out trials.{ending}"
        )
    file = folders[0] / f"trials.{_ENDINGS.get(to, to)}" if out is None else out
    there = RunError(f"{file} exists", "name another file with --out, or remove it")
    with explaining(f"cannot write {file}", "name a file you may write with --out"):
        if file.exists():
            raise there
        try:
            with replacing(file, new=True) as partial:
                exporter(folders, partial)
        except FileExistsError:  # by now
            raise there from None
    return file


def write_json(folders: Sequence[Path], file: Path) -> None:
    """Writes everything the journals say: per run its header and its trials, each with its whole answer."""
    runs = [_plain(run) for run in load_runs(folders)]
    file.write_text(json.dumps({"runs": runs}, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _plain(run: RunData) -> dict[str, Any]:
    phases = (("tune", run.evaluations), ("confirm", run.confirmed))
    trials = [
        {
            "phase": phase,
            "trial": evaluation.trial.to_json(),
            "asked_at_s": evaluation.asked_s,
            "result": evaluation.result.to_json() if evaluation.result else None,
            "told_at_s": evaluation.told_s if evaluation.result else None,
        }
        for phase, evaluations in phases
        for evaluation in evaluations
    ]
    return {"name": run.name, "header": dict(run.header), "trials": trials}
