"""``metaopt benchmark fit-surrogate``: models of a table, judged on cells they have not seen, and their predictions."""

from __future__ import annotations

import importlib
import itertools
import json
import shlex
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metaopt.cli import OK
from metaopt.cli.benchmark.found import found_cells
from metaopt.cli.pace import Pace
from metaopt.core import paths
from metaopt.core.errors import ConfigError, TableError
from metaopt.core.file_lock import alone_in
from metaopt.core.machine import command_line, cores, host, versions
from metaopt.core.paths import write_atomically
from metaopt.core.registry import resolve
from metaopt.report.sections.surrogate import page
from metaopt.surrogates import SURROGATES
from metaopt.surrogates.ensemble import FOLDS, Fitting
from metaopt.surrogates.fitting import Fitted, fit_all, predict_space, split_checked
from metaopt.surrogates.measured import Measured, measured_after_each
from metaopt.surrogates.repeats import compare_repeats
from metaopt.surrogates.sources import leave_one_out
from metaopt.surrogates.tuning import default_config, tune
from metaopt.surrogates.unlike import judge_unlike, kinds
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table, making


@dataclass(frozen=True)
class _Places:
    """What is fitted, and where it goes: a folder for models and figures, a file of predictions."""

    name: str
    table: Path
    folder: Path
    predictions: Path


def fit_surrogate(arguments: Namespace) -> int:
    """Fits, judges, predicts; fitted members are kept, so that the same command goes on from there."""
    names, places = _models(arguments.models), _places(arguments)
    _check_numbers(arguments)
    sources = _sources(arguments.found) if arguments.found else {}
    each = _chosen(measured_after_each(places.table, arguments.cell_space), arguments.epochs)
    with alone_in(places.folder, "benchmark fit-surrogate"), making(places.predictions):
        record = _made(arguments, names, places, each, sources)
    print(page(record))
    print(f"models: {places.folder}\npredictions: {places.predictions}")
    return OK


def _made(
    arguments: Namespace,
    names: list[str],
    places: _Places,
    each: Mapping[int, Measured],
    sources: Mapping[str, set[str]],
) -> dict[str, Any]:
    """Fits, judges and predicts, and writes all of it; returns the record."""
    cells = each[max(each)]
    record = _record(arguments, names, places, cells)
    configs = _configs(arguments, names, cells, record)
    folds = max(FOLDS, arguments.members)
    fitted = _fitted(arguments, each, configs, places.folder)
    record |= {"metrics": fitted[max(each)].metrics, "hyperparameters": configs, "epochs": list(each)}
    record["judgments"] = _judgments(arguments, fitted, each, configs, places.folder)
    if sources:
        how = _how(arguments, folds, len(names) * len(sources), "members without a source")
        record["sources"] = leave_one_out(cells, sources, configs, how, places.folder / "sources")
    if arguments.table1:
        repeats = cells.shared.valid_error.shape[1]
        how = _how(arguments, arguments.members, len(names) * repeats, "members of single trainings")
        record["table1"] = compare_repeats(cells, configs, how, places.folder / "repeats")
    ensembles = {epochs: list(one.ensembles.values()) for epochs, one in fitted.items()}
    predict_space(ensembles, arguments.cell_space, places.predictions, record)
    write_atomically(places.folder / "metrics.json", json.dumps(record, indent=2, allow_nan=False) + "\n")
    write_atomically(places.folder / "README.md", page(record))
    return record


def _chosen(each: dict[int, Measured], wanted: Sequence[int] | None) -> dict[int, Measured]:
    """Returns what is known after the epochs that are asked for, all by default; the last are always among them."""
    if wanted is None:
        return each
    last, there = max(each), ", ".join(map(str, each))
    if not {last} <= set(wanted) <= set(each):
        given = ", ".join(map(str, wanted))
        raise ConfigError(f"epochs is {given}; the table has {there}, and the last are needed", f"add {last}")
    return {epochs: one for epochs, one in each.items() if epochs in wanted}


def _fitted(
    arguments: Namespace, each: Mapping[int, Measured], configs: Mapping[str, Mapping[str, Any]], folder: Path
) -> dict[int, Fitted]:
    """Returns ensembles of what is known after each number of epochs."""
    how = _how(arguments, max(FOLDS, arguments.members), len(configs) * len(each), "members")
    last, models = max(each), folder / "models"
    return {
        epochs: fit_all(one, configs, how, models if epochs == last else models / f"after-{epochs}")
        for epochs, one in each.items()
    }


def _judgments(
    arguments: Namespace,
    fitted: Mapping[int, Fitted],
    each: Mapping[int, Measured],
    configs: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> list[dict[str, Any]]:
    """Returns what the surrogates are worth: on cells like those they were fitted to, and on others, after all epochs.

    Every entry has ``epochs``, and besides what :func:`metaopt.surrogates.unlike.judge_unlike` says.
    """
    kinds_of_cells = len(kinds(each[max(each)], arguments.seed))
    folds = max(FOLDS, arguments.members)
    how = _how(arguments, folds, len(configs) * len(each) * kinds_of_cells, "members without a kind of cells")
    found: list[dict[str, Any]] = []
    for epochs, one in each.items():
        held_out = int(one.in_space[split_checked(one, arguments.seed)[1]].sum())
        sizes = {"training_cells": fitted[epochs].training_cells, "judged_cells": held_out}
        found.append({"epochs": epochs, "cells": "held out", **sizes, "metrics": fitted[epochs].metrics})
        unlike = judge_unlike(one, configs, how, folder / "unlike" / f"after-{epochs}")
        found += [{"epochs": epochs, **judged} for judged in unlike]
    return found


def _models(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"models is {text!r}; allowed: distinct ones of {', '.join(SURROGATES)}", "see --help")
    for name in names:
        resolve("surrogate", SURROGATES, name).check_installed()
    return names


def _places(arguments: Namespace) -> _Places:
    given, space = arguments.table, arguments.cell_space
    if Path(given).suffix == ".parquet":
        name = Path(given).stem.removesuffix(f"-{space}")
        table = Path(given)
    else:
        name, table = given, find_table(load_card(given), space)
    file = f"{name}-{space}.surrogate.parquet"
    if arguments.out is not None:
        return _Places(name, table, arguments.out, arguments.out / file)
    (paths.home() / "tables").mkdir(parents=True, exist_ok=True)
    return _Places(name, table, paths.home() / "surrogates" / f"{name}-{space}", paths.home() / "tables" / file)


def _check_numbers(arguments: Namespace) -> None:
    for name, least in (("members", 2), ("tune", 0), ("seed", 0), ("threads", 1)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            raise ConfigError(f"{name} is {value}; allowed: {least} or more", f"change --{name}")


def _how(arguments: Namespace, folds: int, ensembles: int, pieces: str) -> Fitting:
    total = arguments.members * ensembles
    return Fitting(arguments.members, arguments.seed, folds, _threads(arguments), _counter(total, pieces))


def _threads(arguments: Namespace) -> int:
    return int(arguments.threads or cores())


def _counter(total: int, pieces: str) -> Callable[[], None]:
    pace, done = Pace(pieces), itertools.count()

    def count() -> None:
        pace(next(done), total)

    count()
    return count


def _record(arguments: Namespace, names: list[str], places: _Places, cells: Measured) -> dict[str, Any]:
    training, held_out = split_checked(cells, arguments.seed)
    return {
        "table": places.name,
        "table_file": places.table.name,
        "cell_space": arguments.cell_space,
        "models": names,
        "members": arguments.members,
        "seed": arguments.seed,
        "command": shlex.join(command_line()),
        "versions": {**versions(), **_packages(names)},
        "host": host(_threads(arguments)),
        "training_cells": len(training),
        "held_out_cells": int(cells.in_space[held_out].sum()),
        "cells_digest": cells.data.digest,
        "tuned": {},
    }


def _packages(names: list[str]) -> dict[str, str]:
    """Returns the versions of the packages that the models need."""
    needed = {resolve("surrogate", SURROGATES, name).package for name in names}
    return {package: str(importlib.import_module(package).__version__) for package in sorted(needed)}


def _configs(
    arguments: Namespace, names: list[str], cells: Measured, record: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    if not arguments.tune:
        return {name: default_config(name) for name in names}
    data = cells.data.select(split_checked(cells, arguments.seed)[0])
    told = _counter(arguments.tune * len(names), "trials")
    for name in names:
        found = tune(name, data, arguments.tune, seed=arguments.seed, threads=_threads(arguments), told=told)
        record["tuned"][name] = asdict(found)
    return {name: dict(record["tuned"][name]["config"]) for name in names}


def _sources(runs: list[Path]) -> dict[str, set[str]]:
    """Returns the hashes of all cells that runs have found after any epoch, by their one-shot optimizer."""
    found: dict[str, set[str]] = {}
    for run in runs:
        optimizer, graphs = found_cells(run)
        found.setdefault(optimizer, set()).update(graph.hash for graph in graphs)
    if not any(found.values()):
        raise TableError("the runs have found no cell", "name runs of one-shot optimizers with --found")
    return found
