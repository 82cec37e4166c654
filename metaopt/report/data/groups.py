"""Which runs are repeats of each other, and which searches of a grid: the one grouping that all pages use.

Runs are repeats if they are equal in everything but their seed and what cannot change a result. What counts is said by
what is left out, so that a setting of tomorrow counts, too. What a header does not say, because an older version wrote
it, contradicts nothing: of settings it is the default, of the rest it is unknown.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.document.files import Names
from metaopt.report.document.numbers import steady
from metaopt.report.document.section import NONE, value_text
from metaopt.settings.run import RESUMABLE, BaselineSettings, TuneSettings

#: Settings that repeats may differ in: the seed, and with what they were run.
FREE = frozenset({"seed", *RESUMABLE, "time_limit_s", "memory_limit_mb", "device"})
_FREE_OF_OBJECTIVE = frozenset({"device", "torch"})
# Of a space: prose, and by what it was written; its name is a setting.
_OF_PROSE = frozenset({"meta", "format_version", "python_module_version"})
_SPACE = "space"
_LONGEST = 40  # letters of a value in a label
_GRID = "grid"


@dataclass(frozen=True)
class Group:
    """Runs that are repeats of each other: they differ in their seed and their resources only.

    Attributes:
        label: Name of the folders of its runs, without the seed, and what else it takes to tell it from other groups.
        runs: At least one.
        apart: What tells it from groups of the same settings: a space that was edited, another version of the table.
    """

    label: str
    runs: tuple[RunData, ...]
    apart: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Repeats:
    """Searches of one configuration, over all runs of a group.

    Attributes:
        group: Label of the group.
        label: What tells the configuration from the others of the group; empty if it is the only one.
        evaluations: The finished ones; a grid asks for the largest epochs only.
        failed: How many gave no error.
        optimum_test_error: Lowest test error there is; None where unknown.
        problem: Benchmark and cell space; only what searches the same can be compared.
    """

    group: str
    label: str
    evaluations: tuple[Evaluation, ...]
    failed: int
    optimum_test_error: float | None
    problem: str = ""

    @property
    def name(self) -> str:
        """Group and configuration."""
        return ", ".join(filter(None, (self.group, self.label)))


def problem(run: RunData) -> str:
    """Returns the benchmark and cell space: only runs of one problem may share a figure."""
    return f"{run.settings.get('benchmark', 'unnamed benchmark')}, cell space {run.settings.get('cell_space', NONE)}"


def settings_of(run: RunData) -> dict[str, Any]:
    """Returns the settings of a run that it shares with its repeats, without those that are not set."""
    return {name: value for name, value in run.settings.items() if name not in FREE and value is not None}


def study_groups(runs: Sequence[RunData]) -> list[Group]:
    """Returns groups of repeats, in the order in which each first comes; no two have one label."""
    found = _members(runs)
    labels = _labels([_name(one.runs) for one in found], [{**one.settings, **one.told} for one in found])
    return [Group(label, tuple(one.runs), one.apart) for label, one in zip(labels, found, strict=True)]


def _members(runs: Sequence[RunData]) -> list[_Members]:
    found: list[_Members] = []
    of_settings: dict[str, list[_Members]] = {}
    for run in runs:
        settings, told = _all_settings(run), _told(run)
        beside = of_settings.setdefault(json.dumps(settings, sort_keys=True), [])
        group = next((one for one in beside if one.agrees(told)), None)
        if group is None:
            group = _Members(settings, {}, [], beside)
            found.append(group)
            beside.append(group)
        group.told.update(told)
        group.runs.append(run)
    return found


@dataclass
class _Members:
    """A group that still grows: its settings, what else is told of it, its runs, and all groups of these settings."""

    settings: dict[str, Any]
    told: dict[str, Any]
    runs: list[RunData]
    beside: list[_Members]

    def agrees(self, told: Mapping[str, Any]) -> bool:
        return all(self.told.get(name, value) == value for name, value in told.items())

    @property
    def apart(self) -> dict[str, Any]:
        told = self.told.items()
        return {name: value for name, value in told if not all(one.agrees({name: value}) for one in self.beside)}


def _all_settings(run: RunData) -> dict[str, Any]:
    """Returns the settings with the defaults of those that the header does not say."""
    kind = TuneSettings if "optimizer" in run.settings else BaselineSettings
    given = {one.name: one.default for one in fields(kind) if one.default is not MISSING}
    given |= {one.name: one.default_factory() for one in fields(kind) if one.default_factory is not MISSING}
    return {name: value for name, value in (given | dict(run.settings)).items() if name not in FREE}


def _told(run: RunData) -> dict[str, Any]:
    """Returns what else the header says that decides results, in forms that compare."""
    told = {name: _plain(value) for name, value in _flat(run.objective) if name not in _FREE_OF_OBJECTIVE}
    if space := run.header.get(_SPACE):
        told[_SPACE] = _plain({name: value for name, value in space.items() if name != "name"}, _OF_PROSE)
    if "default" in run.header:  # where it is null, runs begin with a draw; earlier versions began all with a default
        told["default"] = _plain(run.default) or None
    return told


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _plain(value: Any, without: Collection[str] = ()) -> Any:
    """Returns a value as it compares: ``without`` some names, what is not set, and digits that are noise."""
    if isinstance(value, Mapping):
        items = ((name, _plain(inner, without)) for name, inner in value.items() if name not in without)
        return {name: inner for name, inner in items if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, without) for inner in value]
    return steady(value) if isinstance(value, float) else value


def _labels(names: Sequence[str], traits: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns a label of each group, no two of them equal.

    Args:
        names: How each label begins; what tells it from others that begin alike follows.
        traits: What the runs of each group have in common, as far as one of them says it.
    """
    places_of: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places_of.setdefault(name, []).append(place)
    found = [""] * len(names)
    for name, places in places_of.items():
        for place, tail in zip(places, _tails([dict(_shown(traits[place])) for place in places]), strict=True):
            found[place] = ", ".join([name, *tail])
    taken = Names()
    return [taken.take(label) for label in found]


def _tails(traits: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """Returns the traits that tell groups apart, those that tell more apart than the ones before."""
    tails: list[list[str]] = [[] for _ in traits]
    names = dict.fromkeys(name for own in traits for name in own)
    for name in sorted(names, key=lambda name: len({own[name] for own in traits if name in own}) < 2):  # untold: last
        longer = [[*tail, f"{name} {own.get(name, NONE)}"] for tail, own in zip(tails, traits, strict=True)]
        if len(set(map(tuple, longer))) > len(set(map(tuple, tails))):
            tails = longer
    return tails


def _shown(traits: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields traits as text; of a space each hyperparameter by itself."""
    for name, value in traits.items():
        if name != _SPACE or not isinstance(value, Mapping):
            yield name, _text(value)
            continue
        for part in value.get("hyperparameters", ()):
            said = {key: part[key] for key in part if key not in ("name", "type")}
            yield f"space {part.get('name')}", _text(said)
        yield from ((f"space {kind}", _text(parts)) for kind, parts in value.items() if kind != "hyperparameters")


def _text(value: Any) -> str:
    text = NONE if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… {zlib.crc32(text.encode()):08x}"


def _name(runs: Sequence[RunData]) -> str:
    """Returns the name that folders of repeats share: all but the seed at the end; else optimizer and tuner."""
    names = {re.sub(r"-s\d+$", "", run.name) for run in runs}
    if len(names) == 1:
        return names.pop()
    return ", ".join(str(value) for name in ("optimizer", "tuner") if (value := runs[0].settings.get(name))) or NONE


def grid_repeats(groups: Sequence[Group]) -> list[Repeats]:
    """Returns the repeated searches of every configuration of the runs whose tuner goes round a grid, default first."""
    return [
        repeats for group in groups if group.runs[0].settings.get("tuner") == _GRID for repeats in _repeats_of(group)
    ]


def _repeats_of(group: Group) -> list[Repeats]:
    by_config: dict[str, list[Evaluation]] = {}
    for run in group.runs:
        for evaluation in run.evaluations:
            by_config.setdefault(json.dumps(evaluation.trial.config, sort_keys=True), []).append(evaluation)
    configs = [json.loads(key) for key in by_config]
    varying = [
        name
        for name in sorted({name for config in configs for name in config})
        if len({json.dumps(config[name]) for config in configs if name in config}) > 1
    ]
    return [
        Repeats(
            group.label,
            ", ".join(f"{name} {value_text(config[name])}" for name in varying if name in config),
            tuple(e for e in evaluations if e.ok),
            sum(e.result is not None and not e.ok for e in evaluations),
            group.runs[0].optimum_test_error,
            problem(group.runs[0]),
        )
        for config, evaluations in zip(configs, by_config.values(), strict=True)
    ]
