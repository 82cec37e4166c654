"""The probability of improvement over several problems: a run of one group is better than one of another.

Agarwal et al. (2021), "Deep Reinforcement Learning at the Edge of the Statistical Precipice", section 4: the mean
over problems of the Mann-Whitney statistic over all pairs of runs, each problem counting alike; its interval is a
bootstrap that draws runs within each problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import attrgetter

import numpy as np

from metaopt.report.document.section import Column, PageTable, span
from metaopt.report.sections.finals import Final
from metaopt.report.stats.bootstrap import stratified_interval
from metaopt.report.stats.pairwise import wins


@dataclass(frozen=True)
class Improvement:
    """Two groups that several problems have.

    Attributes:
        a: One group.
        b: The other.
        problems: How many have both.
        probability: That a run of ``a`` is better, a tie counting half; mean over the problems.
        interval: 95 %; None if a group has few runs on a problem.
    """

    a: str
    b: str
    problems: int
    probability: float
    interval: tuple[float, float] | None


def improvements(found: Sequence[Sequence[Final]]) -> list[Improvement]:
    """Returns all pairs of groups that at least two problems have.

    Args:
        found: Where the groups of each problem stand.
    """
    by_label = [{row.contestant.label: row.ranked for row in rows} for rows in found]
    labels = list(dict.fromkeys(label for rows in by_label for label in rows))
    pairs = []
    for a, b in combinations(labels, 2):
        some = [wins(rows[a], rows[b]) for rows in by_label if a in rows and b in rows]
        if len(some) >= 2:
            probability = float(np.mean([matrix.mean() for matrix in some]))
            pairs.append(Improvement(a, b, len(some), probability, stratified_interval(some)))
    return pairs


def improvements_table(pairs: Sequence[Improvement]) -> PageTable:
    """Returns all pairs of groups with the probability of improvement."""
    columns = (
        Column("", value=lambda pair: f"{pair.a} over {pair.b}"),
        Column(None, "group", attrgetter("a")),
        Column(None, "over", attrgetter("b")),
        Column("problems", "problems"),
        Column("probability of improvement", "probability", show=_two_digits),
        Column("95 % interval", value=attrgetter("interval"), show=lambda interval: span(interval, _two_digits)),
        Column(None, "low", lambda pair: pair.interval and pair.interval[0]),
        Column(None, "high", lambda pair: pair.interval and pair.interval[1]),
    )
    return PageTable("Probability of improvement", columns, tuple(pairs), file="improvement")


def _two_digits(value: float) -> str:
    return f"{value:.2f}"
