"""Who is compared with whom: groups of runs that looked for cells of one cell space, scored by one benchmark."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from metaopt.report.data.groups import Group, problem
from metaopt.report.data.incumbents import anytime
from metaopt.report.data.load import RunData
from metaopt.report.stats.curves import Anytime, without_noise

_GRID = "grid"
_OF_PROBLEM = ("benchmark", "cell_space")  # in the name of a folder where a study has several


@dataclass(frozen=True)
class RunCurve:
    """A run that found at least one cell with a test error.

    Attributes:
        name: Of the run's folder.
        seed: Of the run.
        curve: Its incumbent over its budgets.
    """

    name: str
    seed: int
    curve: Anytime


@dataclass(frozen=True)
class Contestant:
    """Runs that differ in their seed only.

    Attributes:
        label: What tells the group from the others of its problem.
        looks_up: True if its evaluations are looked up in the table, False if each one is a one-shot search.
        runs: Those that can be compared, by ascending seed.
        left_out: Names of those that found no cell with a test error at all.
        data: All of its runs.
    """

    label: str
    looks_up: bool
    runs: tuple[RunCurve, ...]
    left_out: tuple[str, ...]
    data: tuple[RunData, ...]

    @property
    def answered(self) -> int:
        """Trials with an answer."""
        return sum(len(run.told) for run in self.data)

    @property
    def failed(self) -> int:
        """Those of them without an error."""
        return self.answered - sum(len(run.ok) for run in self.data)

    @property
    def predicted(self) -> int:
        """Results that a surrogate gave instead of the table."""
        return sum(run.predicted for run in self.data)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of its runs, ascending."""
        return tuple(run.seed for run in self.runs)


@dataclass(frozen=True)
class Problem:
    """A benchmark's cell space, and the groups that looked for its best cell.

    Attributes:
        name: Benchmark and cell space.
        contestants: At least two.
        notes: What is to be said of groups that are left out, or that were not measured alike.
    """

    name: str
    contestants: tuple[Contestant, ...]
    notes: tuple[str, ...]


def problems(groups: Sequence[Group]) -> list[Problem]:
    """Returns the problems of a study that at least two groups were run on.

    Groups that go round a grid are no contestants: their searches are repeats of fixed configurations, and choose none.
    """
    members: dict[str, list[Group]] = {}
    for group in groups:
        if group.runs[0].settings.get("tuner") != _GRID:
            members.setdefault(problem(group.runs[0]), []).append(group)
    found = []
    for name, some in members.items():
        curves = iter(_curves([run for group in some for run in group.runs]))
        every = [_contestant(group, list(islice(curves, len(group.runs)))) for group in some]
        present = tuple(one for one in every if one.runs)
        if len(present) >= 2:
            found.append(Problem(name, present, (*_absent(every), *_unlike(present))))
    return found


def _curves(runs: Sequence[RunData]) -> list[Anytime]:
    """Returns curves whose equal errors are equal: means over a table's seeds that differ by the noise of a float."""
    curves = [anytime(run) for run in runs]
    ends = np.cumsum([len(curve.test) for curve in curves])
    equal = np.split(without_noise(np.concatenate([curve.test for curve in curves])), ends[:-1])
    return [replace(curve, test=test) for curve, test in zip(curves, equal, strict=True)]


def _contestant(group: Group, curves: Sequence[Anytime]) -> Contestant:
    found = [
        RunCurve(run.name, int(run.settings.get("seed") or 0), curve)
        for run, curve in zip(group.runs, curves, strict=True)
    ]
    usable = [one for one in found if not np.isnan(one.curve.test).all()]
    return Contestant(
        label=_label(group.label, group.runs[0].settings),
        looks_up=_looks_up(group.runs[0]),
        runs=tuple(sorted(usable, key=lambda one: (one.seed, one.name))),
        left_out=tuple(one.name for one in found if np.isnan(one.curve.test).all()),
        data=group.runs,
    )


def _looks_up(run: RunData) -> bool:
    return "optimizer" not in run.settings


def _label(label: str, settings: Mapping[str, Any]) -> str:
    """Returns a group's label without the problem in it, so that it is called alike on all of them."""
    for name in _OF_PROBLEM:
        words = re.sub(r"[^A-Za-z0-9_.]+", "-", f"{name}-{settings.get(name)}")
        label = re.sub(rf"-{re.escape(words)}(?=-|$)", "", label)
    return label


def _absent(every: Sequence[Contestant]) -> list[str]:
    notes = []
    for one in every:
        if one.left_out:
            names = ", ".join(one.left_out)
            what = "the group has no other run and is left out" if not one.runs else "no value below holds them"
            notes.append(f"{one.label}: no cell with a test error in {names}; {what}.")
    return notes


def _unlike(present: Sequence[Contestant]) -> list[str]:
    """Says where groups of a problem were not scored alike."""
    runs = [run for one in present for run in one.data]
    notes = []
    if len({run.optimum_test_error for run in runs}) > 1:
        notes.append(
            "**The runs do not agree on the lowest test error there is**, so their regrets are not comparable."
        )
    tables = [run.objective.get("table") or {} for run in runs]
    common = set.intersection(*map(set, tables))  # one-shot runs and look-ups say more or less of the same table
    if len({json.dumps({name: table[name] for name in common}, sort_keys=True) for table in tables}) > 1:
        notes.append("**The runs were scored by tables that differ** in their cells, seeds, epochs or surrogate.")
    told = {run.settings.get("errors") for one in present if one.looks_up for run in one.data}
    if len(told) > 1:
        notes.append("Some look-ups were told the mean of the table's seeds, others that of a single one.")
    return notes
