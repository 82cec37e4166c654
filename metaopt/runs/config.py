"""The settings of a run: defaults < run file < environment < flags; the only reader of the environment's METAOPT_*.

Every problem is found before anything runs, and all problems of one kind of source are reported together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from metaopt.core.errors import ConfigError, MetaoptError, raise_together, unknown_name
from metaopt.core.machine import cores
from metaopt.core.wording import shown
from metaopt.core.yaml_file import read_yaml
from metaopt.executors import EXECUTORS
from metaopt.executors.dask.clusters.settings import load_cluster
from metaopt.oneshot import ONESHOT
from metaopt.settings.field import check, convert, modern, types_of
from metaopt.settings.run import SIMULATED, BaselineSettings, RunSettings, TuneSettings, settings
from metaopt.tuners import TUNERS

PREFIX = "METAOPT_"
#: Variables with the prefix that other modules read, see :mod:`metaopt.core.paths`.
_OTHER_VARIABLES = frozenset({"METAOPT_HOME"})
#: More workers than this per core only slow each other down.
_WORKERS_PER_CORE = 4
_ONE_AT_A_TIME = ("serial", SIMULATED)
_HELP = "metaopt tune --help explains the settings"
Kind = TypeVar("Kind", bound=RunSettings)


def load_config(
    kind: type[Kind],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    file: Path | None = None,
) -> Kind:
    """Returns the settings of a run, complete and each in its range.

    Args:
        kind: Of run.
        flags: Values by setting, as given on the command line.
        environ: The environment; ``METAOPT_BUDGET`` is the setting ``budget``.
        file: A YAML run file with values by setting.

    Raises:
        ConfigError: naming everything that is unknown, of another type, out of range or lacking, and where it is given.
    """
    given: dict[str, Any] = {}
    problems: list[MetaoptError] = []
    source: dict[str, str] = {}
    layers = (
        _from_file(kind, file, problems),
        _from_environment(kind, environ, problems),
        ({name: f"{{--{name}}}" for name in flags}, flags),
    )
    for sources, layer in layers:
        source.update(sources)
        for name, value in layer.items():
            try:
                given[name] = convert(value, types_of(kind)[name])
            except ValueError as error:
                problems.append(ConfigError(f"{sources[name]} must be {error}, got {shown(value)}", _HELP))
    if kind is TuneSettings and "optimizer" not in given and not problems:
        text = f"no one-shot optimizer is given; allowed: {', '.join(ONESHOT)}"
        problems.append(ConfigError(text, "add {--optimizer} darts"))
    raise_together(problems)
    config = _complete(kind, given)
    raise_together(problem.naming(lambda name: source.get(name, f"{{--{name}}}")) for problem in _out_of_range(config))
    return config


def changed(config: Kind, changes: Mapping[str, Any]) -> Kind:
    """Returns the settings of a run that goes on in another way than it began.

    Args:
        config: Settings that the run was started with.
        changes: Executor, cluster or workers. With another executor or cluster the workers are its usual ones, unless
            they are given too; with another executor and no cluster, evaluations run on this machine.

    Raises:
        ConfigError: naming everything that is out of range with the changes.
    """
    if "executor" in changes or "cluster" in changes:
        executor = changes.get("executor") or ("dask" if "cluster" in changes else config.executor)
        cluster = _found_from_anywhere(changes.get("cluster"))
        usual = {"executor": executor, "workers": _usual_workers(executor, cluster)}
        changes = {**usual, **changes, "cluster": cluster}
    config = replace(config, **changes)
    raise_together(_out_of_range(config))
    return config


def is_named_now(cluster: str, environ: Mapping[str, str]) -> bool:
    """Returns whether the environment names the cluster that a journal speaks of, which may be a journal of others."""
    return _found_from_anywhere(environ.get(PREFIX + "CLUSTER")) == cluster


def _usual_workers(executor: str, cluster: str | None) -> int | None:
    """Returns how many workers there are if nobody says how many; None: as the cluster says."""
    if cluster is not None:
        return None
    return 1 if executor in _ONE_AT_A_TIME else cores()


def _found_from_anywhere(cluster: str | None) -> str | None:
    """Returns a file's absolute path, as the run may be resumed from another folder; an address as it is."""
    return cluster if cluster is None or "://" in cluster else str(Path(cluster).expanduser().resolve())


#: Where settings are given, by their names, and their values.
_Layer = tuple[dict[str, str], dict[str, Any]]


def _from_file(kind: type[RunSettings], file: Path | None, problems: list[MetaoptError]) -> _Layer:
    content = None if file is None else read_yaml(file)
    content = {} if content is None else content
    if not isinstance(content, dict):
        raise ConfigError(f"the run file {file} is not a mapping of settings", "write lines like `optimizer: darts`")
    content = modern(content, settings(kind), str(file))
    names = [field.name for field in settings(kind)]
    problems += [unknown_name(f"setting in {file}:", str(key), names) for key in content if key not in names]
    known = {key: value for key, value in content.items() if key in names}
    return {name: f"{name} in {file}" for name in known}, known


def _from_environment(kind: type[RunSettings], environ: Mapping[str, str], problems: list[MetaoptError]) -> _Layer:
    of_any = (*settings(TuneSettings), *settings(BaselineSettings))
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX) and name not in _OTHER_VARIABLES}
    ours = modern(ours, of_any, "the environment", _variable)
    variables = {_variable(field.name): field.name for field in settings(kind)}
    allowed = {_variable(field.name) for field in of_any}
    problems += [
        unknown_name("environment variable", name, variables, f"unset {name}") for name in ours if name not in allowed
    ]
    known = {variables[name]: value for name, value in ours.items() if name in variables}
    return {name: _variable(name) for name in known}, known


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _complete(kind: type[Kind], given: dict[str, Any]) -> Kind:
    """Fills in the defaults that depend on other settings."""
    given["cluster"] = _found_from_anywhere(given.get("cluster"))
    if given.get("workers") is None:
        given["workers"] = _usual_workers(given.get("executor") or kind.executor, given["cluster"])
    if kind is TuneSettings:
        space = given.get("space") or given["optimizer"]
        # A file must be found from wherever the run is resumed.
        given["space"] = str(Path(space).expanduser().resolve()) if Path(space).suffix else space
    return kind(**given)


def _out_of_range(config: RunSettings) -> list[MetaoptError]:
    problems: list[MetaoptError] = []
    if isinstance(config, TuneSettings) and config.optimizer not in ONESHOT:
        problems.append(unknown_name("one-shot optimizer", config.optimizer, ONESHOT, _HELP))
    for kind, registry, name in (("tuner", TUNERS, config.tuner), ("executor", EXECUTORS, config.executor)):
        if name not in registry:
            problems.append(unknown_name(kind, name, registry, _HELP))
    problems += check(config)
    budgets = (config.budget, config.budget_epochs, config.budget_seconds)
    if all(budget is None for budget in budgets):
        problems.append(ConfigError("no budget is given", "add {--budget} 50, {--budget_epochs} or {--budget_seconds}"))
    return problems + _at_odds(config)


def evaluation_epochs(config: RunSettings, shortest: int, longest: int) -> tuple[int, int]:
    """Returns ``min_epochs`` and ``max_epochs`` of a run: what is not given is the benchmark's.

    A longest evaluation that is shorter than the benchmark's shortest takes that along with it.

    Args:
        config: Settings that are right each by itself.
        shortest: Usual search epochs of the shortest evaluation.
        longest: Those of the longest.

    Raises:
        ConfigError: if the budgets of the run and of its evaluations do not fit together.
    """
    high = config.max_epochs or longest
    low = config.min_epochs or min(shortest, high)
    raise_together(_epochs_at_odds(config, low, high))
    return low, high


def _epochs_at_odds(config: RunSettings, low: int, high: int) -> list[MetaoptError]:
    problems: list[MetaoptError] = []
    if low > high:
        whose = "" if config.max_epochs else " (the benchmark's)"
        text = f"min_epochs is {low} and max_epochs {high}{whose}; the first must not be larger"
        problems.append(ConfigError(text, "change {--min_epochs} or {--max_epochs}"))
    if config.budget_epochs is not None and config.budget_epochs < low:
        whose = "" if config.min_epochs else " (the benchmark's)"
        text = f"budget_epochs is {config.budget_epochs}, but the shortest evaluation takes {low}{whose}"
        problems.append(ConfigError(text, "raise {--budget_epochs}, or lower {--min_epochs}"))
    return problems


def _at_odds(config: RunSettings) -> list[MetaoptError]:
    """Returns what is wrong between settings that are right each by itself."""
    problems: list[MetaoptError] = []
    workers, most = config.workers or 1, _WORKERS_PER_CORE * cores()
    if config.cluster is not None:
        problems += _cluster_problems(config, config.cluster)
    elif workers > most and config.executor != SIMULATED:
        text = f"workers is {workers}; allowed: 1 to {most}, as this machine has {cores()} cores"
        problems.append(ConfigError(text, "leave out {--workers} for one per core"))
    if config.executor == "serial" and workers > 1:
        text = f"workers is {workers}, but the serial executor runs one evaluation at a time"
        problems.append(ConfigError(text, "leave out {--workers}, or set {--executor} to dask"))
    return problems


def _cluster_problems(config: RunSettings, cluster: str) -> list[MetaoptError]:
    if config.executor != "dask":
        text = f"a cluster is given, and the executor is {config.executor}, which uses none"
        return [ConfigError(text, "leave out {--executor}, or {--cluster}")]
    try:
        load_cluster(cluster)
    except ConfigError as error:
        return [error]
    return []
