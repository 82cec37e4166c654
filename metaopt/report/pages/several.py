"""Several runs in one report: which of them are repeats of each other, and the figures that hold them together."""

from __future__ import annotations

from collections.abc import Sequence

from metaopt.report.data.grouping import alike, labels, problem
from metaopt.report.data.load import RunData
from metaopt.report.document.section import NONE, PageTable, Section, number
from metaopt.report.figures.axes import quantity
from metaopt.report.figures.progress import comparison_plot
from metaopt.report.figures.style import slug
from metaopt.report.sections.headline import headline
from metaopt.report.stats.curves import best_cell


def grouped(runs: Sequence[RunData]) -> dict[str, list[RunData]]:
    """Groups repeats under their optimizer and tuner, and what else it takes to tell the groups apart."""
    groups = alike(runs)
    words = [[str(group.runs[0].settings.get(name) or NONE) for name in ("optimizer", "tuner")] for group in groups]
    return {label: list(group.runs) for label, group in zip(labels(groups, words), groups, strict=True)}


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
        table = PageTable(
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
