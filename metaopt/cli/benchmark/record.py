"""``metaopt benchmark record``: a run of the tuner ``design``, whose searches are kept and not tuned by."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from metaopt.cli import OK
from metaopt.cli.run import close
from metaopt.core import machine
from metaopt.core.errors import ConfigError, RunError
from metaopt.core.interrupt import Interrupt
from metaopt.core.wording import command, shown
from metaopt.runs import launch
from metaopt.runs.config import load_config
from metaopt.runs.folder import RunFolder
from metaopt.runs.plan import plan
from metaopt.settings.run import RESUMABLE, TuneSettings, settings


def record(arguments: Namespace) -> int:
    """Makes searches in a folder; goes on where they were interrupted if it is begun."""
    if arguments.searches < 1:
        raise ConfigError(f"searches is {arguments.searches}; allowed: 1 or more", "change --searches")
    given = {of.name: getattr(arguments, of.name, None) for of in settings(TuneSettings)}
    flags = {name: value for name, value in given.items() if value is not None}
    fixed = {"tuner": "design", "budget": arguments.searches, "confirm": 0}
    config = load_config(TuneSettings, {**flags, **fixed}, os.environ)
    console = Console(stderr=True)
    with Interrupt() as interrupted:
        run = plan(config)
        folder = RunFolder(arguments.out or Path("runs") / config.name)
        if folder.begun:
            _check_same(folder, run.settings.to_json())
            console.print(f"run folder: {folder.path}, begun before", markup=False, highlight=False, soft_wrap=True)
            changes = {name: getattr(config, name) for name in RESUMABLE if name in flags}
            end = launch.resume(folder, changes, console, interrupted)
        else:
            end = launch.start(run, folder, machine.command_line(), console, interrupted)
    code = close(folder, end, False, config.cluster, scores=False)
    if code == OK:
        options = ("--benchmark", config.benchmark, "--cell-space", config.cell_space, "--out", "searches.parquet")
        print(f"searches: {folder.journal}")
        print(f"as one table: {command('benchmark', 'gather-searches', folder.path, *options)}")
    return code


def _check_same(folder: RunFolder, asked: Mapping[str, Any]) -> None:
    """Refuses to go on with a run of other settings.

    Raises:
        RunError: naming what differs.
    """
    if differing := list(_differing(folder.read().record.settings, json.loads(json.dumps(asked)))):
        raise RunError(
            f"{folder.path} holds a run of other settings: {'; '.join(differing)}",
            "say what it was begun with, or record more in another folder, with another --seed and maybe --out: "
            "metaopt benchmark gather-searches joins any number of them",
        )


def _differing(stated: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    for name, value in asked.items():
        if name in stated and name not in RESUMABLE and stated[name] != value:
            yield f"{'searches' if name == 'budget' else name} was {shown(stated[name])} and is {shown(value)}"
