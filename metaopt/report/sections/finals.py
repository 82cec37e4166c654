"""Where each group stands at the common budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.clocks import View, at_budget, budget_note
from metaopt.report.data.contestants import Contestant
from metaopt.report.document.markdown import Record
from metaopt.report.document.section import NONE, PageTable, number
from metaopt.report.stats.bootstrap import FEWEST, mean_interval

_NAN = float("nan")


@dataclass(frozen=True)
class Final:
    """The test regrets of a group's incumbents at the common budget.

    Attributes:
        contestant: The group.
        values: (runs,) in the order of its runs; NaN for a run that had no cell by then.
        interval: Of the mean of those that had one; None where there are too few, or all are equal.
    """

    contestant: Contestant
    values: Floats
    interval: tuple[float, float] | None

    @property
    def there(self) -> Floats:
        """The values of runs that had a cell."""
        return self.values[~np.isnan(self.values)]

    @property
    def ranked(self) -> Floats:
        """(runs,) with infinity for a run without a cell, so that it loses against every run with one."""
        return np.where(np.isnan(self.values), np.inf, self.values)


def finals(view: View) -> list[Final]:
    """Returns where all groups of a view stand at its common budget."""
    found = []
    for one in view.contestants:
        values = at_budget(one, view)
        found.append(Final(one, values, mean_interval(values[~np.isnan(values)])))
    return found


def finals_table(title: str, name: str, rows: Sequence[Final]) -> PageTable:
    """Returns the table for reading, groups in the order of the study."""
    partial = _is_partial(rows)
    predicted = ("predicted",) if partial else ()
    head = ("", "runs", "mean", "95 % interval", "median", "quartiles", "best", *predicted, "failed trials")
    return PageTable(title, head, tuple(_text(row, partial) for row in rows), name=name)


def _is_partial(rows: Sequence[Final]) -> bool:
    return any(run.is_partial for row in rows for run in row.contestant.data)


def _text(row: Final, partial: bool) -> tuple[str, ...]:
    there, all_runs = row.there, len(row.contestant.data)
    numbers = _numbers(row)
    interval = NONE if row.interval is None else " to ".join(map(number, row.interval))
    quartiles = f"{number(numbers['q25'])} to {number(numbers['q75'])}" if len(there) > 1 else NONE
    return (
        row.contestant.label,
        str(all_runs) if len(there) == all_runs else f"{len(there)} of {all_runs}",
        number(numbers["mean"]),
        interval,
        number(numbers["median"]),
        quartiles,
        number(numbers["best"]),
        *((_share(row),) if partial else ()),
        f"{row.contestant.failed} of {row.contestant.answered}",
    )


def _share(row: Final) -> str:
    ok = row.contestant.answered - row.contestant.failed
    return f"{100 * row.contestant.predicted / ok:.3g} %" if ok else NONE


def _numbers(row: Final) -> dict[str, float]:
    there = row.there
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


def finals_records(view: View, rows: Sequence[Final]) -> list[Record]:
    """Returns the same as values, a row per group."""
    return [
        {
            "clock": view.clock.name,
            "budget": view.budget,
            "group": row.contestant.label,
            "runs": len(row.contestant.data),
            "runs_with_a_cell": len(row.there),
            **_numbers(row),
            "mean_low": row.interval[0] if row.interval else None,
            "mean_high": row.interval[1] if row.interval else None,
            "answered": row.contestant.answered,
            "failed": row.contestant.failed,
            "predicted": row.contestant.predicted,
        }
        for row in rows
    ]


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
