"""Which runs are repeats of each other: they are equal in everything but their seed and what cannot change a result.

What counts is said by what is left out, so that a setting of tomorrow counts, too. What a header does not say, because
an older version wrote it, contradicts nothing: of settings it is the default, of the rest it is unknown.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from metaopt.report.data.load import RunData
from metaopt.report.document.files import Names
from metaopt.report.document.numbers import steady
from metaopt.report.document.section import NONE
from metaopt.settings.run import RESUMABLE, BaselineSettings, TuneSettings

#: Settings that repeats may differ in: the seed, and with what they were run.
FREE = frozenset({"seed", *RESUMABLE, "time_limit_s", "memory_limit_mb", "device"})
_FREE_OF_OBJECTIVE = frozenset({"device", "torch"})
# Of a space: prose, and by what it was written; its name is a setting.
_OF_PROSE = frozenset({"meta", "format_version", "python_module_version"})
_SPACE = "space"
_LONGEST = 40  # letters of a value in a label


@dataclass(frozen=True)
class Alike:
    """Runs that are repeats of each other.

    Attributes:
        runs: At least one.
        traits: What they have in common, as far as one of them says it.
        apart: Those of the traits that tell them from other runs of the same settings: a space that was edited, another
            version of the table.
    """

    runs: tuple[RunData, ...]
    traits: Mapping[str, Any]
    apart: Mapping[str, Any]


def problem(run: RunData) -> str:
    """Returns the benchmark and cell space: only runs of one problem may share a figure."""
    return f"{run.settings.get('benchmark', 'unnamed benchmark')} space {run.settings.get('cell_space', NONE)}"


def settings_of(run: RunData) -> dict[str, Any]:
    """Returns the settings of a run that it shares with its repeats, without those that are not set."""
    return {name: value for name, value in run.settings.items() if name not in FREE and value is not None}


def alike(runs: Sequence[RunData]) -> list[Alike]:
    """Returns groups of repeats, in the order in which each first comes."""
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
    return [Alike(tuple(one.runs), {**one.settings, **one.told}, one.apart) for one in found]


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
    given = {of.name: of.default for of in fields(kind) if of.default is not MISSING}
    given |= {of.name: of.default_factory() for of in fields(kind) if of.default_factory is not MISSING}
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


def labels(groups: Sequence[Alike], words: Sequence[Sequence[str]]) -> list[str]:
    """Returns a label of each group, no two of them equal.

    Args:
        groups: The groups.
        words: How each label begins; what tells it from others that begin alike follows.
    """
    of: dict[tuple[str, ...], list[int]] = {}
    for place, own in enumerate(words):
        of.setdefault(tuple(own), []).append(place)
    found = [""] * len(groups)
    for own, places in of.items():
        tails = _tails([dict(_shown(groups[place].traits)) for place in places])
        for place, tail in zip(places, tails, strict=True):
            found[place] = ", ".join([*own, *tail])
    names = Names()
    return [names.take(label) for label in found]


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
        if name != _SPACE:
            yield name, _text(value)
            continue
        for part in value.get("hyperparameters", ()):
            said = {key: part[key] for key in part if key not in ("name", "type")}
            yield f"space {part.get('name')}", _text(said)
        yield from ((f"space {kind}", _text(parts)) for kind, parts in value.items() if kind != "hyperparameters")


def _text(value: Any) -> str:
    text = NONE if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… {zlib.crc32(text.encode()):08x}"
