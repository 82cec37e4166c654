"""What it takes to reach a target: a test regret that some of the runs reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.clocks import View
from metaopt.report.data.contestants import RunCurve
from metaopt.report.document.section import NONE, Column, PageTable
from metaopt.report.sections.finals import Final

#: A target is what this share of all runs, of whatever group, had at the common budget or better.
QUANTILES = (0.75, 0.5, 0.25)
_FIELDS = ("evaluations", "epochs", "seconds")


@dataclass(frozen=True)
class Reached:
    """How a group came to a target.

    Attributes:
        target: Test regret.
        label: Of the group.
        clock: What the common budget is measured in.
        budget: The common budget.
        looks_up: What its epochs and seconds are, see :mod:`metaopt.report.data.clocks`.
        runs: How many there are.
        reached: How many of them got there within the common budget.
        medians: Over all runs of what each field of a curve had come to when the target was reached for the first
            time, a run that never got there counting as infinite; so infinite where half of them did not.
    """

    target: float
    label: str
    clock: str
    budget: float
    looks_up: bool
    runs: int
    reached: int
    medians: dict[str, float]


def targets(rows: Sequence[Final]) -> list[float]:
    """Returns the targets, from the easiest to the hardest: quantiles of what all runs had, each one that a run had."""
    values = np.concatenate([row.there for row in rows])
    if not len(values):
        return []
    return sorted({float(x) for x in np.quantile(values, QUANTILES, method="inverted_cdf")}, reverse=True)


def reached(view: View, rows: Sequence[Final]) -> list[Reached]:
    """Returns how each group came to each target."""
    return [_reached(view, row, target) for target in targets(rows) for row in rows]


def _reached(view: View, row: Final, target: float) -> Reached:
    first = [_first(run, view, target) for run in row.contestant.runs]
    times = np.array([[math.inf] * len(_FIELDS) if one is None else one for one in first])
    return Reached(
        target=target,
        label=row.contestant.label,
        clock=view.clock.name,
        budget=view.budget,
        looks_up=row.contestant.looks_up,
        runs=len(row.contestant.data),
        reached=sum(one is not None for one in first),
        medians=dict(zip(_FIELDS, _median(times, len(row.contestant.data)), strict=True)),
    )


def _first(run: RunCurve, view: View, target: float) -> list[float] | None:
    """Returns what a run had used when its incumbent first had the target's test regret; None if it never did."""
    within = (run.curve.test <= target) & (getattr(run.curve, view.clock.field) <= view.budget)
    if not within.any():
        return None
    place = int(np.argmax(within))
    return [float(getattr(run.curve, field)[place]) for field in _FIELDS]


def _median(times: Floats, runs: int) -> list[float]:
    """Returns the median of each column, runs that found no cell at all counting as infinite, the higher of two."""
    missing = np.full((runs - len(times), times.shape[1]), math.inf)
    return [float(x) for x in np.sort(np.concatenate([times, missing]), axis=0)[runs // 2]]


def targets_table(title: str, file: str, found: Sequence[Reached]) -> PageTable:
    """Returns how each group came to each target, easy targets first; no amounts where half did not."""
    columns = (
        Column(None, "within_clock", attrgetter("clock")),
        Column(None, "within_budget", attrgetter("budget")),
        Column("test regret at most", "target_test_regret", attrgetter("target"), lambda target: f"{target:.4f}"),
        Column("", "group", attrgetter("label")),
        Column("runs that got there", value=lambda one: f"{one.reached} of {one.runs}"),
        Column(None, "runs"),
        Column(None, "reached"),
        *map(_median_column, _FIELDS),
    )
    return PageTable(title, columns, tuple(found), file=file)


def _median_column(field: str) -> Column:
    return Column(
        field, f"median_{field}", lambda one: None if math.isinf(median := one.medians[field]) else median, _amount
    )


def _amount(value: float | None) -> str:
    return NONE if value is None else f"{value:.4g}"


def targets_notes(view: View, found: Sequence[Reached]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    kinds = {one.looks_up for one in found}
    of = {
        True: "epochs and seconds of look-ups are those that the table has of single cells",
        False: "epochs and seconds of one-shot runs are those of supernets on this machine",
    }
    return (
        "Targets: test regrets that three quarters, half and a quarter of all runs had or beat at the common budget of "
        f"{view.budget:.4g} {view.clock.label}. A run got there if its incumbent, which validation chooses, had such a "
        "test regret once within that budget.",
        "Evaluations, epochs and seconds: median over all runs of a group, those that never got there counting as "
        f"infinite, so there is none where half of them did not; {'; '.join(of[kind] for kind in sorted(kinds))}.",
    )
