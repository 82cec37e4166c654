"""Several runs in one report: which of them are repeats of each other, and the figures that hold them together."""

from __future__ import annotations

import json
from collections.abc import Sequence

from metaopt.report.axes import quantity
from metaopt.report.curves import best_cell
from metaopt.report.figures import comparison_plot
from metaopt.report.headline import headline
from metaopt.report.layout import NONE, Section, Table, number
from metaopt.report.load import RunData
from metaopt.report.style import slug

# Runs that agree in these differ in their seed and their resources only.
_IDENTITY = ("optimizer", "hyperparameters", "tuner", "tuner_options", "min_epochs", "max_epochs")


def problem(run: RunData) -> str:
    """Returns the benchmark and cell space: only runs of one problem may share a figure."""
    return f"{run.settings.get('benchmark', 'unnamed benchmark')} space {run.settings.get('cell_space', NONE)}"


def grouped(runs: Sequence[RunData]) -> dict[str, list[RunData]]:
    """Groups runs that differ in seed and resources only; a label is as long as it takes to tell the groups apart."""
    groups: dict[str, list[RunData]] = {}
    for run in runs:
        groups.setdefault(json.dumps([run.settings.get(name) for name in _IDENTITY]), []).append(run)
    identities = [json.loads(key) for key in groups]
    return {_label(own, identities): members for own, members in zip(identities, groups.values(), strict=True)}


def _label(own: Sequence[object], others: Sequence[Sequence[object]]) -> str:
    """Names optimizer and tuner, and what else differs between groups that have both in common."""
    named = [_IDENTITY.index(name) for name in ("optimizer", "tuner")]
    alike = [other for other in others if all(other[i] == own[i] for i in named)]
    rest = [i for i in range(len(_IDENTITY)) if any(other[i] != own[i] for other in alike)]
    words = [str(own[i] or NONE) for i in named]
    return ", ".join([*words, *(f"{_IDENTITY[i]} {json.dumps(own[i])}" for i in rest)])


def comparison(runs: Sequence[RunData]) -> list[Section]:
    """Returns one section per problem: regret over evaluations and seconds, and a table of the runs."""
    problems: dict[str, list[RunData]] = {}
    for run in runs:
        problems.setdefault(problem(run), []).append(run)
    found = []
    for title, members in problems.items():
        groups = grouped(members)
        plots = [
            comparison_plot(groups, clock, split)
            for split in ("valid", "test")
            for clock in ("evaluations", "seconds")
            if any(run.ok for run in members)
        ]
        table = Table(
            "Runs",
            ("run", "group", "answered", "lowest validation error", "its test error", "confirmed ratio", "finding"),
            tuple(_row(run, label) for label, group in groups.items() for run in group),
        )
        note = "No test across groups is made here: this is a picture of the runs, not a ranking."
        notes = (note, *(() if len({quantity(run) for run in members}) == 1 else ("Some runs know no optimum.",)))
        found.append(Section(f"compare-{slug(title)}", f"Runs on {title}", notes, tuple(plots), (table,)))
    return found


def _row(run: RunData, label: str) -> tuple[str, ...]:
    best, finding = best_cell(run.ok), headline(run)
    return (
        run.name,
        label,
        str(len(run.told)),
        number(best.valid_error) if best else NONE,
        number(best.final_test_error) if best else NONE,
        finding.number if finding.tone in ("better", "worse", "inconclusive") else NONE,
        finding.tone,
    )
