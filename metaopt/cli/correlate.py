"""``metaopt correlate``: how well trained supernets rank the cells of their space."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path

from metaopt.cli import INTERRUPTED, OK
from metaopt.cli.flags import given
from metaopt.cli.hyperparameters import hyperparameters
from metaopt.cli.pace import Pace
from metaopt.core.errors import ConfigError
from metaopt.core.file_lock import alone_in
from metaopt.core.interrupt import Interrupt
from metaopt.core.machine import command_line, cores, host, versions
from metaopt.core.paths import write_atomically
from metaopt.executors.dask.local import local_cluster, run_all
from metaopt.ranking.measures import record
from metaopt.ranking.scores import make_search, parts, score_all
from metaopt.ranking.study import RankingStudy, open_folder
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table

RECORD = "correlation.json"


def correlate(arguments: Namespace) -> int:
    """Trains and scores what is missing of a ranking study, then writes its record and its page."""
    workers = cores() if arguments.workers is None else arguments.workers
    if workers < 1:
        raise ConfigError(f"workers is {workers}; allowed: 1 or more", "leave out --workers for one per core")
    command = shlex.join(command_line())
    with Interrupt() as interrupted:
        study = _study(arguments)
        folder = _folder(arguments, study)
        find_table(load_card(study.benchmark), study.cell_space)
        make_search(parts(study, folder)[0])
        open_folder(study, folder)
        print(f"finished parts are kept in {folder}; the same command goes on from there", file=sys.stderr)
        try:
            with interrupted.at_once(), alone_in(folder, "correlate"):
                _score(study, folder, workers)
        except KeyboardInterrupt:
            print(f"interrupted; go on with: {command}")
            return INTERRUPTED
    found = record(study, folder, {"command": command, "versions": versions(), "host": host(cores())})
    write_atomically(folder / RECORD, json.dumps(found, allow_nan=False) + "\n")
    from metaopt.report.pages.ranking import write_ranking  # matplotlib, once no worker needs its memory

    print(f"page: {write_ranking(found, folder)}")
    return OK


def _study(arguments: Namespace) -> RankingStudy:
    numbers = given(arguments, RankingStudy)
    epochs = numbers.get("epochs", 50)
    return RankingStudy(
        optimizer=arguments.optimizer,
        config=hyperparameters(arguments.optimizer, arguments.set),
        at=(epochs,) if arguments.at is None else _epochs(arguments.at),
        **numbers,
    )


def _epochs(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(epochs) for epochs in text.split(","))
    except ValueError:
        raise ConfigError(
            f"at is {text!r}; allowed: epochs with commas between them", "for example --at 5,15,25"
        ) from None


def _folder(arguments: Namespace, study: RankingStudy) -> Path:
    name = f"correlate-{study.optimizer}-{study.benchmark}{study.cell_space}"
    return arguments.out or Path("runs") / name


def _score(study: RankingStudy, folder: Path, workers: int) -> None:
    missing = sum(not part.path.exists() for part in parts(study, folder))
    if min(workers, missing) <= 1:
        score_all(study, folder, map, Pace("parts"))
        return
    with local_cluster(min(workers, missing)) as client:
        score_all(study, folder, partial(run_all, client), Pace("parts"))
