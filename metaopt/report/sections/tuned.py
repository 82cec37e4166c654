"""Default against tuned, over several runs: the table that says what tuning an optimizer was worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import fmean, median, stdev
from typing import Any

from metaopt.core.wording import listed
from metaopt.report.data.groups import Group
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.data.regret import regret_column, regret_name, regret_note
from metaopt.report.document.section import NONE, Column, PageTable, number, times
from metaopt.report.sections.headline import confirming, interval_text, shown
from metaopt.report.stats.ratio import Ratio, regret_ratio


@dataclass(frozen=True)
class Searches:
    """Confirming searches of a side, of all runs of a group.

    Attributes:
        finished: Those with an error.
        asked: All of them.
    """

    finished: int
    asked: int

    def __str__(self) -> str:
        """Returns ``14 of 15``; a dash where none was asked for."""
        return f"{self.finished} of {self.asked}" if self.asked else NONE


@dataclass(frozen=True)
class Tuned:
    """What the runs of a group found; every tuple has a value per run, where it has one.

    Attributes:
        label: Of the group.
        optimum_test_error: Lowest test error there is; None where unknown, and the errors themselves are then shown.
        default: Mean test regret of the finished confirming searches of the default, of the runs that have some on
            both sides.
        tuned: Likewise, of the tuned configuration; the default's where tuning found nothing better.
        default_searches: What is behind ``default``, and what failed.
        tuned_searches: Likewise.
        selected: Test regret of the incumbent's own trial: what the run saw when it chose.
        ratio: Mean of ``default`` over mean of ``tuned``; its unit is the run, not the search.
        floor: Least test regret that a choice by validation error can expect; None where it is unknown.
        above_floor: The same ratio after ``floor`` is taken off every regret; None where it is unknown.
        wall_s: Median wall seconds of a finished confirming search; NaN without one.
        cpu_s: Likewise CPU seconds; NaN also if they were not measured in one of them.
        epochs: Of the confirming searches, ascending.
        failed: Trials that gave no error, of tuning and confirmation.
        answered: All trials with an answer.
        runs: How many runs the group has.
    """

    label: str
    optimum_test_error: float | None
    default: tuple[float, ...]
    tuned: tuple[float, ...]
    default_searches: Searches
    tuned_searches: Searches
    selected: tuple[float, ...]
    ratio: Ratio
    floor: float | None
    above_floor: Ratio | None
    wall_s: float
    cpu_s: float
    epochs: tuple[int, ...]
    failed: int
    answered: int
    runs: int


def tuned(group: Group) -> Tuned:
    """Returns what the runs of a group found."""
    asked = [_sides(run) for run in group.runs]
    found = [_regrets(run) for run in group.runs]
    means = [pair for run in group.runs if not any(map(math.isnan, pair := confirmed_means(run)))]
    default, best = ([pair[i] for pair in means] for i in (0, 1))
    counts = [Searches(*(sum(len(sides[i]) for sides in of) for of in (found, asked))) for i in (0, 1)]
    finished = [e for run in group.runs for e in run.confirmed if e.ok]
    answers = [e for run in group.runs for e in (*run.told, *run.confirmed) if e.result]
    floor = group.runs[0].floor_test_regret
    return Tuned(
        label=group.label,
        optimum_test_error=group.runs[0].optimum_test_error,
        default=tuple(default),
        tuned=tuple(best),
        default_searches=counts[0],
        tuned_searches=counts[1],
        selected=tuple(regret for run in group.runs for regret in _selected(run)),
        ratio=regret_ratio(default, best),
        floor=floor,
        above_floor=None if floor is None else regret_ratio([d - floor for d in default], [b - floor for b in best]),
        wall_s=_median([e.result.cost_s for e in finished if e.result]),
        cpu_s=_median([e.result.cpu_s for e in finished if e.result]),
        epochs=tuple(sorted({e.trial.epochs for e in finished})),
        failed=sum(not e.ok for e in answers),
        answered=len(answers),
        runs=len(group.runs),
    )


def confirmed_means(run: RunData) -> tuple[float, float]:
    """Returns the mean test regret of a run's confirming searches of default and tuned; NaN if a side has none."""
    default, best = (fmean(side) if side else math.nan for side in _regrets(run))
    return default, best


def _regrets(run: RunData) -> tuple[list[float], list[float]]:
    default, best = _sides(run)
    return shown(run, default, "test"), shown(run, best, "test")


def _sides(run: RunData) -> tuple[tuple[Evaluation, ...], tuple[Evaluation, ...]]:
    """Returns the confirming searches of default and tuned, which may be the same; empty where there are none."""
    best, default = run.incumbent, confirming(run, "default")
    stayed = best is not None and dict(best.trial.config) == dict(run.default)
    return default, default if stayed else confirming(run, "tuned")


def _median(seconds: Sequence[float | None]) -> float:
    measured = [value for value in seconds if value is not None]
    return median(measured) if measured and len(measured) == len(seconds) else math.nan


def _selected(run: RunData) -> list[float]:
    best: Evaluation | None = run.incumbent
    return [] if best is None else shown(run, [best], "test")


def mean_sd(values: Sequence[float]) -> str:
    """Returns mean and standard deviation as text; of one value itself, of none a dash."""
    if not values:
        return NONE
    return number(fmean(values)) + (f" ± {number(stdev(values))}" if len(values) > 1 else "")


def moments(name: str, take: Callable[[Any], Sequence[float]], prefix: str = "") -> tuple[Column, Column]:
    """Returns columns for programs of the mean and standard deviation of values; empty where there are too few.

    Args:
        name: What the values are.
        take: Takes them from a row.
        prefix: Goes before the names of the columns.
    """
    return (
        Column(None, f"{prefix}{name}_mean", lambda row: fmean(values) if (values := take(row)) else None),
        Column(None, f"{prefix}{name}_sd", lambda row: stdev(values) if len(values := take(row)) > 1 else None),
    )


def tuned_table(rows: Sequence[Tuned]) -> PageTable:
    """Returns a row per group; regrets are in [0, 1]."""
    shown_as = regret_column([row.optimum_test_error for row in rows])
    cpu, floor = _has_cpu(rows), _has_floor(rows)
    columns = (
        Column("", "group", attrgetter("label")),
        Column(None, "runs"),
        Column(None, "confirmed_runs", lambda row: len(row.default)),
        Column("default", value=attrgetter("default"), show=mean_sd),
        *moments(shown_as, attrgetter("default"), "default_"),
        Column("tuned", value=attrgetter("tuned"), show=mean_sd),
        *moments(shown_as, attrgetter("tuned"), "tuned_"),
        Column("as selected", value=attrgetter("selected"), show=mean_sd),
        *moments(shown_as, attrgetter("selected"), "selected_"),
        Column("ratio", "ratio", attrgetter("ratio.value"), times),
        Column("95 % interval", value=attrgetter("ratio"), show=bounds_text),
        Column(None, "ratio_low", attrgetter("ratio.low")),
        Column(None, "ratio_high", attrgetter("ratio.high")),
        *(_FLOOR if floor else ()),
        Column("searches of default", value=attrgetter("default_searches")),
        Column(None, "default_searches_finished", attrgetter("default_searches.finished")),
        Column(None, "default_searches_asked", attrgetter("default_searches.asked")),
        Column("of tuned", value=attrgetter("tuned_searches")),
        Column(None, "tuned_searches_finished", attrgetter("tuned_searches.finished")),
        Column(None, "tuned_searches_asked", attrgetter("tuned_searches.asked")),
        Column(None if cpu else "wall s per search", "search_wall_s", attrgetter("wall_s"), _seconds),
        Column("CPU s per search" if cpu else None, "search_cpu_s", attrgetter("cpu_s"), _seconds),
        Column("runs", value=_runs),
        Column("failed trials", value=lambda row: f"{row.failed} of {row.answered}"),
        Column(None, "failed"),
        Column(None, "answered"),
    )
    return PageTable("Tuned against default", columns, tuple(rows), file="tuned")


_FLOOR = (
    Column(None, "floor_test_regret", attrgetter("floor")),
    Column("ratio above the floor", "ratio_above_floor", lambda row: row.above_floor and row.above_floor.value, times),
)


def bounds_text(ratio: Ratio | None) -> str:
    """Returns the interval of a ratio, or why there is none; a dash without a ratio."""
    return NONE if ratio is None else interval_text(ratio).removeprefix("95 % interval ")


def _seconds(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.1f}"


def _runs(row: Tuned) -> str:
    return str(row.runs) if len(row.default) == row.runs else f"{len(row.default)} of {row.runs}"


def _has_floor(rows: Sequence[Tuned]) -> bool:
    return any(row.floor is not None for row in rows)


def _has_cpu(rows: Sequence[Tuned]) -> bool:
    """Returns whether CPU seconds are known of all searches; otherwise wall seconds are shown, lest they be mixed."""
    timed = [row for row in rows if not math.isnan(row.wall_s)]
    return bool(timed) and not any(math.isnan(row.cpu_s) for row in timed)


def tuned_notes(rows: Sequence[Tuned]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    epochs = sorted({epochs for row in rows for epochs in row.epochs})
    optima = [row.optimum_test_error for row in rows]
    return (
        f"{regret_note(optima)}; lower is better. Default and tuned: mean over the runs ± standard deviation between "
        "them, each run's value being the mean of its confirming searches with fresh seeds "
        f"({listed(epochs, 'epoch')} each), which had no part in the choice.",
        _finished_note(rows),
        f"As selected: {regret_name(optima)} of the one trial that made its configuration the incumbent. The "
        "difference from tuned is the luck of the selection.",
        "Ratio: the default's mean over the tuned one's, above 1 where tuning helped. Its interval is Fieller's with "
        "the run as unit, so it is wide where there are few runs; where it holds 1, nothing is decided.",
        *_floor_note(rows),
        "Seconds: median CPU time of a confirming search, over all of its threads."
        if _has_cpu(rows)
        else "Seconds: median wall time of a confirming search, which depends on what else ran.",
    )


def _floor_note(rows: Sequence[Tuned]) -> tuple[str, ...]:
    floors = sorted({number(row.floor) for row in rows if row.floor is not None})
    if not floors:
        return ()
    return (
        f"Floor: the cell with the lowest validation error has a test regret of {' or '.join(floors)}. No choice by "
        "validation error can expect to beat it, so the ratio above the floor is of what could be gained.",
    )


def _finished_note(rows: Sequence[Tuned]) -> str:
    lacking = [
        f"{row.label} {side} {searches}"
        for row in rows
        for side, searches in (("default", row.default_searches), ("tuned", row.tuned_searches))
        if searches.finished < searches.asked
    ]
    text = "Searches: confirming searches that gave an error, of those asked for."
    if not lacking:
        return f"{text} None is missing."
    return (
        f"{text} Some are missing, and a side without them may look better than it is: {', '.join(lacking)}. A mean is "
        "of the finished ones; a run with none on a side is in neither mean."
    )
