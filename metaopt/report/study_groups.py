"""What is a repeat of what in a study: runs that differ in their seed, searches of one configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaopt.report.layout import value_text
from metaopt.report.load import Evaluation, RunData

# Settings that runs of one group may differ in: the seed, and with what they were run.
_FREE = frozenset({"seed", "executor", "workers", "time_limit_s", "memory_limit_mb", "device"})
_GRID = "grid"


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed only.

    Attributes:
        label: As long as it takes to tell the groups of the study apart.
        runs: At least one.
    """

    label: str
    runs: tuple[RunData, ...]


@dataclass(frozen=True)
class Repeats:
    """Searches of one configuration, over all runs of a group.

    Attributes:
        group: Label of the group.
        label: What tells the configuration from the others of the group; empty if it is the only one.
        evaluations: The finished ones at the largest epochs.
        failed: How many gave no error.
        optimum_test_error: Lowest test error there is; None where unknown.
    """

    group: str
    label: str
    evaluations: tuple[Evaluation, ...]
    failed: int
    optimum_test_error: float | None

    @property
    def name(self) -> str:
        """Group and configuration."""
        return ", ".join(filter(None, (self.group, self.label)))


def study_groups(runs: Sequence[RunData]) -> list[Group]:
    """Groups the runs of a study, in the order in which each group first comes."""
    members: dict[str, list[RunData]] = {}
    for run in runs:
        identity = {name: value for name, value in run.settings.items() if name not in _FREE}
        members.setdefault(json.dumps(identity, sort_keys=True), []).append(run)
    labels = _labels([group[0].settings for group in members.values()])
    return [Group(label, tuple(group)) for label, group in zip(labels, members.values(), strict=True)]


def _labels(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    varying = _varying(settings)
    labels = []
    for own in settings:
        # Options of another tuner are no difference from it.
        alike = _varying([other for other in settings if other.get("tuner") == own.get("tuner")])
        words = _words(own, [name for name in varying if name != "tuner_options" or name in alike])
        labels.append(", ".join(words) or str(own.get("optimizer", "runs")))
    return labels


def _varying(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    names = sorted({name for own in settings for name in own} - _FREE)
    return [name for name in names if any(own.get(name) != settings[0].get(name) for own in settings)]


def _words(own: Mapping[str, Any], varying: Sequence[str]) -> list[str]:
    words = [str(own.get(name)) for name in ("optimizer", "tuner") if name in varying]
    for name in varying:
        if name == "hyperparameters":
            # The space named like the optimizer goes without saying.
            words += [Path(own[name]).stem] if own.get(name) != own.get("optimizer") else []
        elif name not in ("optimizer", "tuner"):
            words.append(f"{name} {json.dumps(own.get(name))}")
    return words


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
        )
        for config, evaluations in zip(configs, by_config.values(), strict=True)
    ]
