"""Where each group stands at the common budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter, itemgetter

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.clocks import View, at_budget, budget_note
from metaopt.report.data.contestants import Contestant
from metaopt.report.document.section import NONE, Column, PageTable, number, span
from metaopt.report.stats.bootstrap import FEWEST, mean_interval

_NAN = float("nan")


@dataclass(frozen=True)
class Final:
    """The test regrets of a group's incumbents at the common budget.

    Attributes:
        contestant: The group.
        values: (runs,) in the order of its runs; NaN for a run that had no cell by then.
        interval: Of the mean of those that had one; None where there are too few, or all are equal.
        clock: What the common budget is measured in.
        budget: The common budget.
    """

    contestant: Contestant
    values: Floats
    interval: tuple[float, float] | None
    clock: str
    budget: float

    @property
    def there(self) -> Floats:
        """The values of runs that had a cell."""
        return self.values[~np.isnan(self.values)]

    @property
    def ranked(self) -> Floats:
        """(runs,) with infinity for a run without a cell, so that it loses against every run with one."""
        return np.where(np.isnan(self.values), np.inf, self.values)

    @cached_property
    def numbers(self) -> dict[str, float]:
        """Mean, standard deviation and quantiles over the runs that had a cell; NaN without one."""
        there = self.there
        if not len(there):
            return dict.fromkeys(("mean", "sd", "median", "q25", "q75", "best", "worst"), _NAN)
        q25, median, q75 = np.quantile(there, [0.25, 0.5, 0.75])
        return {
            "mean": float(there.mean()),
            "sd": float(there.std(ddof=1)) if len(there) > 1 else _NAN,
            "median": float(median),
            "q25": float(q25),
            "q75": float(q75),
            "best": float(there.min()),
            "worst": float(there.max()),
        }


def finals(view: View) -> list[Final]:
    """Returns where all groups of a view stand at its common budget."""
    found = []
    for one in view.contestants:
        values = at_budget(one, view)
        interval = mean_interval(values[~np.isnan(values)])
        found.append(Final(one, values, interval, view.clock.name, view.budget))
    return found


def finals_table(title: str, name: str, rows: Sequence[Final]) -> PageTable:
    """Returns where groups stand, in the order of the study."""
    partial = any(run.is_partial for row in rows for run in row.contestant.data)
    columns = (
        Column(None, "clock"),
        Column(None, "budget"),
        Column("", "group", attrgetter("contestant.label")),
        Column(None, "runs", lambda row: len(row.contestant.data)),
        Column("runs", value=_runs),
        Column(None, "runs_with_a_cell", lambda row: len(row.there)),
        _column("mean", "mean"),
        Column("95 % interval", value=attrgetter("interval"), show=span),
        _column(None, "sd"),
        _column("median", "median"),
        Column("quartiles", value=_quartiles, show=span),
        _column(None, "q25"),
        _column(None, "q75"),
        _column("best", "best"),
        _column(None, "worst"),
        Column(None, "mean_low", lambda row: row.interval and row.interval[0]),
        Column(None, "mean_high", lambda row: row.interval and row.interval[1]),
        Column(None, "answered", attrgetter("contestant.answered")),
        Column(None, "failed", attrgetter("contestant.failed")),
        Column("predicted" if partial else None, value=_share),
        Column(None, "predicted", attrgetter("contestant.predicted")),
        Column("failed trials", value=lambda row: f"{row.contestant.failed} of {row.contestant.answered}"),
    )
    return PageTable(title, columns, tuple(rows), name=name)


def _column(head: str | None, key: str) -> Column:
    take = itemgetter(key)
    return Column(head, key, lambda row: take(row.numbers), number)


def _runs(row: Final) -> str:
    all_runs, there = len(row.contestant.data), len(row.there)
    return str(all_runs) if there == all_runs else f"{there} of {all_runs}"


def _quartiles(row: Final) -> tuple[float, float] | None:
    return (row.numbers["q25"], row.numbers["q75"]) if len(row.there) > 1 else None


def _share(row: Final) -> str:
    ok = row.contestant.answered - row.contestant.failed
    return f"{100 * row.contestant.predicted / ok:.3g} %" if ok else NONE


def finals_notes(view: View, rows: Sequence[Final]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    notes = [
        budget_note(view),
        "Test regret of the cell with the lowest validation error found until then, at whatever epochs: a look-up is "
        "chosen by the error after the epochs that it asked for, and its cell's regret is that after all epochs. "
        f"Interval: of the mean, BCa bootstrap over runs, from {FEWEST} runs on and where they differ; with few runs "
        "it is too narrow. Quartiles: of the runs. Failed trials and predictions: of all that the runs did.",
    ]
    late = [f"{row.contestant.label} {len(row.values) - len(row.there)}" for row in rows if np.isnan(row.values).any()]
    if late:
        notes.append(f"Runs that had no cell yet, and are in no number here: {', '.join(late)}.")
    if min(len(row.there) for row in rows) <= FEWEST:
        notes.append("A picture of so few seeds is not a ranking: what the groups differ by may be luck of the seeds.")
    return tuple(notes)
