"""Default against tuned, over several runs: the table that says what tuning an optimizer was worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from metaopt.report.curves import incumbent
from metaopt.report.headline import confirmation, interval_text, shown
from metaopt.report.layout import NONE, Table, number, times
from metaopt.report.load import Evaluation, RunData
from metaopt.report.statistics import Ratio, regret_ratio
from metaopt.report.study_groups import Group


@dataclass(frozen=True)
class Tuned:
    """What the runs of a group found; every list has a value per run, where it has one.

    Attributes:
        label: Of the group.
        default: Mean test regret of the confirming searches of the default.
        tuned: Likewise, of the tuned configuration; the default's where tuning found nothing better.
        selected: Test regret of the incumbent's own trial: what the run saw when it chose.
        ratio: Mean of ``default`` over mean of ``tuned``; its unit is the run, not the search.
        search_s: Median wall seconds of a confirming search; NaN without one.
        epochs: Of the confirming searches, ascending.
        searches: Least number of finished confirming searches that a mean in ``default`` or ``tuned`` is of.
        failed: Trials that gave no error, of tuning and confirmation.
        answered: All trials with an answer.
        runs: How many runs the group has.
    """

    label: str
    default: tuple[float, ...]
    tuned: tuple[float, ...]
    selected: tuple[float, ...]
    ratio: Ratio
    search_s: float
    epochs: tuple[int, ...]
    searches: int
    failed: int
    answered: int
    runs: int


def tuned(group: Group) -> Tuned:
    """Returns what the runs of a group found."""
    sides = [side for run in group.runs if all(side := _sides(run))]
    default, best = ([fmean(side[i]) for side in sides] for i in (0, 1))
    confirming = [e for run in group.runs for e in run.confirmed if e.ok and e.result]
    answers = [e for run in group.runs for e in (*run.told, *run.confirmed) if e.result]
    return Tuned(
        label=group.label,
        default=tuple(default),
        tuned=tuple(best),
        selected=tuple(regret for run in group.runs for regret in _selected(run)),
        ratio=regret_ratio(default, best),
        search_s=median([e.result.cost_s for e in confirming if e.result]) if confirming else math.nan,
        epochs=tuple(sorted({e.trial.epochs for e in confirming})),
        searches=min((len(values) for side in sides for values in side), default=0),
        failed=sum(not e.ok for e in answers),
        answered=len(answers),
        runs=len(group.runs),
    )


def _sides(run: RunData) -> tuple[list[float], list[float]]:
    """Returns the test regrets of the confirming searches of default and tuned; empty where there are none."""
    found, best = confirmation(run), incumbent(run.ok)
    stayed = best is not None and dict(best.trial.config) == dict(run.default)
    default = shown(run, found.default, "test")
    return default, default if stayed else shown(run, found.tuned, "test")


def _selected(run: RunData) -> list[float]:
    best: Evaluation | None = incumbent(run.ok)
    return [] if best is None else shown(run, [best], "test")


def mean_sd(values: Sequence[float]) -> str:
    """Returns mean and standard deviation as text; of one value itself, of none a dash."""
    if not values:
        return NONE
    return number(fmean(values)) + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


def tuned_table(rows: Sequence[Tuned]) -> Table:
    """Returns the table for reading."""
    head = ("", "default", "tuned", "as selected", "ratio", "95 % interval", "s per search", "runs", "failed trials")
    return Table("Tuned against default", head, tuple(_text(row) for row in rows))


def _text(row: Tuned) -> tuple[str, ...]:
    interval = interval_text(row.ratio).removeprefix("95 % interval ")
    return (
        row.label,
        mean_sd(row.default),
        mean_sd(row.tuned),
        mean_sd(row.selected),
        times(row.ratio.value),
        interval,
        NONE if math.isnan(row.search_s) else f"{row.search_s:.1f}",
        str(row.runs) if len(row.default) == row.runs else f"{len(row.default)} of {row.runs}",
        f"{row.failed} of {row.answered}",
    )


def tuned_records(rows: Sequence[Tuned]) -> list[dict[str, object]]:
    """Returns the same in full precision, regrets in [0, 1], a row per group."""
    return [
        {
            "group": row.label,
            "runs": row.runs,
            "confirmed_runs": len(row.default),
            **{
                f"{name}_regret_{kind}": value
                for name, values in (("default", row.default), ("tuned", row.tuned), ("selected", row.selected))
                for kind, value in (
                    ("mean", fmean(values) if values else None),
                    ("sd", stdev(values) if len(values) > 1 else None),
                )
            },
            "ratio": row.ratio.value,
            "ratio_low": row.ratio.low,
            "ratio_high": row.ratio.high,
            "search_s": row.search_s,
            "failed": row.failed,
            "answered": row.answered,
        }
        for row in rows
    ]


def tuned_notes(rows: Sequence[Tuned]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    epochs = sorted({epochs for row in rows for epochs in row.epochs})
    fewest = min((row.searches for row in rows if row.default), default=0)
    return (
        "Test regret: test error of the cell found minus the lowest test error of any cell in the table; lower is "
        "better. Default and tuned: mean over the runs ± standard deviation between them, each run's value being the "
        f"mean of its confirming searches with fresh seeds (at least {fewest} a side and run, "
        f"{' and '.join(map(str, epochs)) or 'no'} epochs each), which had no part in the choice.",
        "As selected: test regret of the one trial that made its configuration the incumbent. The difference from "
        "tuned is the luck of the selection.",
        "Ratio: the default's mean over the tuned one's, above 1 where tuning helped. Its interval is Fieller's with "
        "the run as unit, so it is wide where there are few runs; where it holds 1, nothing is decided.",
        "Seconds: median wall time of a confirming search.",
    )
