"""The probability of improvement over several problems: a run of one group is better than one of another.

Agarwal et al. (2021), "Deep Reinforcement Learning at the Edge of the Statistical Precipice", section 4: the mean
over problems of the Mann-Whitney statistic over all pairs of runs, each problem counting alike; its interval is a
bootstrap that draws runs within each problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from metaopt.report.document.markdown import Record
from metaopt.report.document.section import NONE, PageTable
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
    """Returns the table for reading."""
    head = ("", "problems", "probability of improvement", "95 % interval")
    rows = tuple(
        (
            f"{one.a} over {one.b}",
            str(one.problems),
            f"{one.probability:.2f}",
            NONE if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}",
        )
        for one in pairs
    )
    return PageTable("Probability of improvement", head, rows)


def improvements_records(pairs: Sequence[Improvement]) -> list[Record]:
    """Returns the same as values."""
    return [
        {
            "group": one.a,
            "over": one.b,
            "problems": one.problems,
            "probability": one.probability,
            "low": one.interval[0] if one.interval else None,
            "high": one.interval[1] if one.interval else None,
        }
        for one in pairs
    ]
