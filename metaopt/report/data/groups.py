"""What is a repeat of what in a study: runs that differ in their seed, searches of one configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metaopt.report.data.grouping import alike, labels, problem
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.document.section import value_text

_GRID = "grid"


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed and their resources only.

    Attributes:
        label: Name of the folders of its runs, without the seed, and what else it takes to tell it from other groups.
        runs: At least one.
        apart: What tells it from groups of the same settings, see :class:`metaopt.report.data.grouping.Alike`.
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


def study_groups(runs: Sequence[RunData]) -> list[Group]:
    """Groups the runs of a study, in the order in which each group first comes."""
    groups = alike(runs)
    named = labels(groups, [[_without_seed(group.runs[0])] for group in groups])
    return [Group(label, group.runs, group.apart) for label, group in zip(named, groups, strict=True)]


def _without_seed(run: RunData) -> str:
    """Returns the name of a run's folder, which says what varies in the study, without the seed at its end."""
    return re.sub(r"-s\d+$", "", run.name)


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
