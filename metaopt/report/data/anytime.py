"""Anytime curves of groups: mean and median of the incumbent's test regret over a budget, with bootstrap bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.clocks import View, grid, regrets
from metaopt.report.data.contestants import Contestant
from metaopt.report.document.section import Record
from metaopt.report.stats.bootstrap import FEWEST, mean_band, median_band

_NUMBERS = ("mean", "mean_low", "mean_high", "median", "median_low", "median_high")


@dataclass(frozen=True)
class Summary:
    """A group over its budget: where all of its runs have a cell, until the first of them ends.

    Attributes:
        label: Of the group.
        n: Runs.
        grid: (m,) places; none if the runs share no place.
        values: (n, m) test regret of each run.
        mean: (m,) over the runs.
        mean_band: Two of (m,), 95 % pointwise; None for too few runs, see :data:`FEWEST`.
        median: (m,) over the runs.
        median_band: Likewise.
    """

    label: str
    n: int
    grid: Floats
    values: Floats
    mean: Floats
    mean_band: tuple[Floats, Floats] | None
    median: Floats
    median_band: tuple[Floats, Floats] | None


def summaries(view: View) -> list[Summary]:
    """Returns the curves of all groups of a view, on its grid."""
    places = grid(view)
    return [_summary(one, regrets(one, view.clock, places), places) for one in view.contestants]


def _summary(contestant: Contestant, values: Floats, places: Floats) -> Summary:
    shared = ~np.isnan(values).any(axis=0)
    values = values[:, shared]
    banded = len(values) >= FEWEST and values.size > 0
    return Summary(
        label=contestant.label,
        n=len(values),
        grid=places[shared],
        values=values,
        mean=values.mean(axis=0),
        mean_band=mean_band(values) if banded else None,
        median=np.median(values, axis=0),
        median_band=median_band(values) if banded else None,
    )


def curve_records(view: View, found: Sequence[Summary]) -> Iterator[Record]:
    """Yields what the figures show: a row per group and place where something changes, and where the curve ends."""
    for one in found:
        nothing = np.full((2, len(one.grid)), np.nan)
        bands = [nothing if band is None else np.array(band) for band in (one.mean_band, one.median_band)]
        numbers = np.stack([one.mean, *bands[0], one.median, *bands[1]], axis=1)
        for place, (at, row) in enumerate(zip(one.grid, numbers, strict=True)):
            if 0 < place < len(numbers) - 1 and np.array_equal(row, numbers[place - 1], equal_nan=True):
                continue
            values = dict(zip(_NUMBERS, map(float, row), strict=True))
            yield {"clock": view.clock.name, "at": float(at), "group": one.label, "runs": one.n, **values}
