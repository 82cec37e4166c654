"""The file of a study: which runs are compared. Everything in it is checked before anything runs.

    title: Tuned against default
    text: What a reader should know besides.
    common: {tuner: bohb, budget: 50, confirm: 5}
    runs:
      - {optimizer: [darts, gdas], seed: [0, 1, 2]}
    baselines:
      - {tuner: random, budget: 280, seed: [0, 1]}

``common`` holds settings of every run, an entry those of its own; lists are crossed, so this names eight. ``0..99``
stands for the list of whole numbers from 0 to 99. ``runs`` are those of ``metaopt tune``, ``baselines`` those of
``metaopt baseline``, which do without what they do not have of ``common``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from metaopt.core.errors import ConfigError, MetaoptError, raise_together, unknown_name
from metaopt.core.wording import shown
from metaopt.core.yaml_file import read_yaml
from metaopt.oneshot import ONESHOT
from metaopt.runs.plan import PlannedRun
from metaopt.settings.field import modern
from metaopt.settings.run import BaselineSettings, RunSettings, TuneSettings, settings
from metaopt.studies.planned import Planner

_KINDS: Mapping[str, type[RunSettings]] = {"runs": TuneSettings, "baselines": BaselineSettings}
_KEYS = ("title", "text", "common", *_KINDS)
_HINT = "metaopt tune --help explains the settings"
#: Runs that one study may name, and digits of the ends of a range.
MOST_RUNS = 20_000
_RANGE = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})")
_EXAMPLE = "write lines like `runs:` and `  - {optimizer: [darts, gdas], seed: [0, 1, 2]}`"
# A study says where its runs go.
_SETTINGS = {kind: tuple(of.name for of in settings(kind) if of.name != "folder") for kind in _KINDS.values()}
_ALL_SETTINGS = tuple(dict.fromkeys(name for names in _SETTINGS.values() for name in names))


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What the file of a study says.

    Attributes:
        title: Of the study.
        text: Markdown for the reader; may be empty.
        runs: In the order of the file.
        clusters: Those that only the file names, so that somebody has to confirm them before anything runs.
    """

    title: str
    text: str
    runs: tuple[PlannedRun, ...]
    clusters: tuple[str, ...] = ()


def load_study(file: Path, changes: Mapping[str, Any]) -> StudyPlan:
    """Returns the study in a YAML file; paths of space files are taken from its folder.

    Args:
        file: Of the study.
        changes: Settings that results do not depend on, of every run: executor, workers.

    Raises:
        ConfigError: naming everything in the file that is unknown, lacking, out of range or does not fit together.
    """
    content = read_yaml(file)
    if not isinstance(content, dict):
        raise ConfigError(f"the study {file} is not a mapping", _EXAMPLE)
    content = _modern(file, content)
    raise_together(_misshapen(file, content))
    raise_together(_too_many(file, content))
    given = list(_given(content))
    names = _names([settings for _, settings in given])
    problems: dict[str, MetaoptError] = {}  # by text: crossed runs share their mistakes
    runs, planner = [], Planner(file.parent, changes)
    for (entry, combination), name in zip(given, names, strict=True):
        try:
            runs.append(planner.plan(entry.kind, name, combination))
        except MetaoptError as error:
            common = {key: value for key, value in combination.items() if key not in entry.own}
            place = "common" if _is_wrong_in(entry.kind, common, file.parent, error) else entry.place
            written = error.naming(str)
            names_settings = written.hint != error.hint
            hint = f"in {file}: {written.hint}" if names_settings else error.hint or f"change it in {file}"
            found = ConfigError(f"{file}, {place}: {written.message}", hint)
            problems.setdefault(str(found), found)
    raise_together([*problems.values(), *_twice(file, names)])
    return StudyPlan(content["title"], content.get("text", ""), tuple(runs), tuple(planner.unconfirmed))


def _modern(file: Path, content: dict[Any, Any]) -> dict[Any, Any]:
    """Returns the content with the present names of settings; what is no mapping stays, to be refused."""
    known = [field for kind in _KINDS.values() for field in settings(kind)]

    def modernized(value: Any) -> Any:
        if isinstance(value, list):
            return [modernized(entry) for entry in value]
        return modern(value, known, str(file)) if isinstance(value, dict) else value

    return {key: modernized(value) if key in ("common", *_KINDS) else value for key, value in content.items()}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the file: its settings, which kind of runs they are of, and where they stand."""

    kind: type[RunSettings]
    place: str
    own: Mapping[str, Any]


def _entries(content: Mapping[str, Any]) -> Iterator[_Entry]:
    for key, kind in _KINDS.items():
        for number, own in enumerate(content.get(key, []), start=1):
            yield _Entry(kind, f"entry {number} of {key}", own)


def _given(content: Mapping[str, Any]) -> Iterator[tuple[_Entry, dict[str, Any]]]:
    """Yields the settings of every run, with the entry that they are from."""
    for entry in _entries(content):
        for combination in _crossed(_settings_of(content, entry)):
            yield entry, combination


def _is_wrong_in(kind: type[RunSettings], common: Mapping[str, Any], folder: Path, problem: MetaoptError) -> bool:
    """Returns whether the settings of every run, with the least that a run needs besides, make the same problem."""
    least = {"optimizer": next(iter(ONESHOT))} if kind is TuneSettings else {}
    try:
        Planner(folder, {}).plan(kind, "", {**least, "budget": 1, **common})
    except MetaoptError as error:
        return error.message == problem.message
    return False


def _misshapen(file: Path, content: Mapping[str, Any]) -> Iterator[MetaoptError]:
    yield from (unknown_name(f"key in {file}:", str(key), _KEYS) for key in content if key not in _KEYS)
    for key, needed in (("title", True), ("text", False)):
        if (key in content or needed) and not isinstance(content.get(key), str):
            yield ConfigError(f"{file}: {key} must be text, got {shown(content.get(key))}", f"write {key}: ...")
    for key in _KINDS:
        if not isinstance(content.get(key, []), list):
            yield ConfigError(f"{file}: {key} must be a list of settings, got {shown(content[key])}", _EXAMPLE)
            return
    if not any(content.get(key) for key in _KINDS):
        yield ConfigError(f"{file}: there are no {' and no '.join(_KINDS)}", _EXAMPLE)
        return
    yield from _wrong_settings(file, "common", content.get("common", {}), _ALL_SETTINGS)
    for entry in _entries(content):
        yield from _wrong_settings(file, entry.place, entry.own, _SETTINGS[entry.kind])


def _wrong_settings(file: Path, place: str, entry: Any, allowed: tuple[str, ...]) -> Iterator[MetaoptError]:
    if not isinstance(entry, dict):
        yield ConfigError(f"{file}: {place} must be a mapping of settings, got {shown(entry)}", _EXAMPLE)
        return
    for name, value in entry.items():
        if name not in allowed:
            yield unknown_name(f"setting in {file}, {place}:", str(name), allowed, _HINT)
        elif _length(value) == 0:
            yield ConfigError(f"{file}, {place}: the list of {name} is empty", "name one value at least")


def _too_many(file: Path, content: Mapping[str, Any]) -> Iterator[MetaoptError]:
    """Yields an error if the lists of a study, crossed, are more runs than anybody can mean."""
    total = 0
    for entry in _entries(content):
        total += math.prod(map(_length, _settings_of(content, entry).values()))
        if total > MOST_RUNS:
            text = f"{file} names more than {MOST_RUNS} runs up to {entry.place}, its lists crossed"
            yield ConfigError(text, "shorten a list or a range, or write several studies")
            return


def _settings_of(content: Mapping[str, Any], entry: _Entry) -> dict[str, Any]:
    common = {name: value for name, value in content.get("common", {}).items() if name in _SETTINGS[entry.kind]}
    return {**common, **entry.own}


def _length(value: Any) -> int:
    if ends := _ends(value):
        return max(ends[1] - ends[0] + 1, 0)
    return len(value) if isinstance(value, list) else 1


def _ends(value: Any) -> tuple[int, int] | None:
    """Returns the ends of a range such as ``0..99``; None if it is something else."""
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    return (int(found[1]), int(found[2])) if found else None


def _crossed(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Returns every combination of the values in lists; the last list varies fastest."""
    lists = [_listed(value) for value in entry.values()]
    return (dict(zip(entry, values, strict=True)) for values in product(*lists))


def _listed(value: Any) -> list[Any]:
    if ends := _ends(value):
        return list(range(ends[0], ends[1] + 1))
    return value if isinstance(value, list) else [value]


def _names(given: list[dict[str, Any]]) -> list[str]:
    """Returns the folder of each run: as long as it takes to tell them apart, but always with optimizer and seed.

    Runs without an optimizer look for cells themselves, and are called so.
    """
    seeds = [f"s{own.get('seed', 0)}" for own in given]
    words = [[str(own.get("optimizer", "cells"))] for own in given]
    for name in _ALL_SETTINGS:
        longer = [[*some, *_words(name, own.get(name))] for some, own in zip(words, given, strict=True)]
        if name not in ("optimizer", "seed") and _distinct(longer, seeds) > _distinct(words, seeds):
            words = longer
    return [
        "-".join(re.sub(r"[^A-Za-z0-9_.]+", "-", word).strip("-") for word in [*some, seed])
        for some, seed in zip(words, seeds, strict=True)
    ]


def _distinct(words: list[list[str]], seeds: list[str]) -> int:
    return len({(*some, seed) for some, seed in zip(words, seeds, strict=True)})


def _words(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if name == "space":
        return [Path(str(value)).stem]
    if isinstance(value, dict):
        return [word for key in sorted(value) for word in _words(key, value[key])]
    return [str(value)] if name == "tuner" else [f"{name}-{value}"]


def _twice(file: Path, names: list[str]) -> Iterator[ConfigError]:
    for name, times in Counter(names).items():
        if times > 1:
            text = f"{file} names the run {name} {times} times"
            yield ConfigError(text, "remove what stands twice, or let a setting differ")
