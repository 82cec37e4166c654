"""Every group against every other: a test, corrected for the number of pairs, and how much better one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from metaopt.core.wording import counted
from metaopt.report.data.clocks import View
from metaopt.report.document.markdown import Record
from metaopt.report.document.section import NONE, PageTable
from metaopt.report.sections.finals import Final
from metaopt.report.stats.bootstrap import effect_interval
from metaopt.report.stats.pairwise import (
    ALPHA,
    holm,
    rank_sum,
    signed_rank,
    smallest_rank_sum,
    smallest_signed_rank,
    superiority,
    wins,
)

#: Most groups whose pairs stand in a list; more stand in a square.
LISTED = 6


@dataclass(frozen=True)
class Pair:
    """Two groups.

    Attributes:
        a: One group.
        b: The other.
        paired: True if the runs of the same seed were compared: both groups have the same seeds, each once.
        n: Runs of each.
        smallest_p: The smallest p that the test can give for so many runs.
        p_value: Of the test; None if ``smallest_p`` is not below 5 %, so that it could tell nothing.
        corrected: By Holm, over all pairs that were tested; None with ``p_value``.
        first_better: Which of the two the test favours; False also where it favours none.
        superiority: Probability that a run of ``a`` is better than one of ``b``.
        interval: Of that; None for few runs.
    """

    a: str
    b: str
    paired: bool
    n: tuple[int, int]
    smallest_p: float
    p_value: float | None
    corrected: float | None
    first_better: bool
    superiority: float
    interval: tuple[float, float] | None

    @property
    def is_told_apart(self) -> bool:
        """Whether the corrected p is below 5 %."""
        return self.corrected is not None and self.corrected < ALPHA

    @property
    def finding(self) -> str:
        """What the test says, in words."""
        if self.p_value is None:
            return f"no test was possible: n = {_runs(self.n)}"
        if not self.is_told_apart:
            return "not told apart"
        return f"{self.a if self.first_better else self.b} is better"


def pairs(rows: Sequence[Final]) -> list[Pair]:
    """Returns all pairs of groups, corrected together."""
    found = [_pair(one, other) for one, other in combinations(rows, 2)]
    corrected = iter(holm([pair.p_value for pair in found if pair.p_value is not None]))
    return [pair if pair.p_value is None else replace(pair, corrected=next(corrected)) for pair in found]


def _pair(one: Final, other: Final) -> Pair:
    a, b = one.ranked, other.ranked
    seeds = one.contestant.seeds
    paired = seeds == other.contestant.seeds and len(set(seeds)) == len(seeds)
    smallest = smallest_signed_rank(len(a)) if paired else smallest_rank_sum(len(a), len(b))
    effect = superiority(a, b)
    p_value, first_better = signed_rank(a, b) if paired else (rank_sum(a, b), effect > 0.5)
    return Pair(
        a=one.contestant.label,
        b=other.contestant.label,
        paired=paired,
        n=(len(a), len(b)),
        smallest_p=smallest,
        p_value=p_value if smallest < ALPHA else None,
        corrected=None,
        first_better=first_better,
        superiority=effect,
        interval=effect_interval(wins(a, b)),
    )


def pairs_table(title: str, found: Sequence[Pair]) -> PageTable:
    """Returns the table for reading: a list of pairs, or a square of what rows are worth against columns."""
    labels = list(dict.fromkeys(label for pair in found for label in (pair.a, pair.b)))
    return _list(title, found) if len(labels) <= LISTED else _square(title, found, labels)


def _list(title: str, found: Sequence[Pair]) -> PageTable:
    head = ("", "test", "n", "p", "corrected p", "first better", "95 % interval", "finding")
    return PageTable(title, head, tuple(_text(pair) for pair in found))


def _text(pair: Pair) -> tuple[str, ...]:
    test = "signed-rank" if pair.paired else "rank-sum"
    return (
        f"{pair.a} against {pair.b}",
        test if pair.p_value is not None else NONE,
        _runs(pair.n),
        NONE if pair.p_value is None else p_text(pair.p_value),
        NONE if pair.corrected is None else p_text(pair.corrected),
        f"{pair.superiority:.2f}",
        NONE if pair.interval is None else f"{pair.interval[0]:.2f} to {pair.interval[1]:.2f}",
        pair.finding,
    )


def p_text(p_value: float) -> str:
    """Returns a p value with two digits; very small ones as a bound."""
    return "< .0001" if p_value < 1e-4 else f"{p_value:.2g}"


def _runs(n: tuple[int, int]) -> str:
    return str(n[0]) if n[0] == n[1] else f"{n[0]} and {n[1]}"


def _square(title: str, found: Sequence[Pair], labels: Sequence[str]) -> PageTable:
    cells = {(pair.a, pair.b): _cell(pair.superiority, pair) for pair in found}
    cells |= {(pair.b, pair.a): _cell(1 - pair.superiority, pair) for pair in found}
    rows = tuple(
        (f"{place}: {label}", *(cells.get((label, other), NONE) for other in labels))
        for place, label in enumerate(labels, start=1)
    )
    return PageTable(title, ("", *map(str, range(1, len(labels) + 1))), rows)


def _cell(superiority: float, pair: Pair) -> str:
    return f"{superiority:.2f}{'*' if pair.is_told_apart else ''}"


def pairs_records(view: View, found: Sequence[Pair]) -> list[Record]:
    """Returns the same as values, a row per pair."""
    return [
        {
            "clock": view.clock.name,
            "budget": view.budget,
            "group": pair.a,
            "against": pair.b,
            "test": "wilcoxon signed-rank" if pair.paired else "mann-whitney u",
            "runs": pair.n[0],
            "runs_against": pair.n[1],
            "smallest_p": pair.smallest_p,
            "p_value": pair.p_value,
            "corrected_p": pair.corrected,
            "a12": pair.superiority,
            "a12_low": pair.interval[0] if pair.interval else None,
            "a12_high": pair.interval[1] if pair.interval else None,
            "finding": pair.finding,
        }
        for pair in found
    ]


def pairs_notes(view: View, found: Sequence[Pair]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    tested = [pair for pair in found if pair.p_value is not None]
    square = len({label for pair in found for label in (pair.a, pair.b)}) > LISTED
    effect = (
        "probability that a run of the first group is better than one of the second, a tie counting half (Vargha and "
        "Delaney's A; on one problem the same number as the probability of improvement of Agarwal et al.): 0.5 is no "
        "difference"
    )
    where = "In the square: what the row is worth against the column" if square else "First better"
    star = "; * where the corrected p is below .05" if square and tested else ""
    notes = [f"At {view.budget:.4g} {view.clock.label}. {where}, the {effect}{star}.", _tests_note(tested)]
    untested = [pair for pair in found if pair.p_value is None]
    if untested:
        least = min(untested, key=lambda pair: pair.smallest_p)
        notes.append(
            f"No test was possible for {len(untested)} of {counted(len(found), 'pair')}: with n = {_runs(least.n)} a "
            f"test cannot give a p below {least.smallest_p:.2g}, whatever the runs found. More seeds are needed to say "
            "anything."
        )
    return tuple(filter(None, notes))


def _tests_note(tested: Sequence[Pair]) -> str:
    if not tested:
        return ""
    names = {
        frozenset({True}): "Wilcoxon's signed-rank test, paired by seed",
        frozenset({False}): "the Mann-Whitney U test, for the groups have other seeds",
        frozenset(
            {True, False}
        ): "Wilcoxon's signed-rank test, paired by seed, where two groups have the same seeds, and "
        "by the Mann-Whitney U test where not",
    }
    text = names[frozenset(pair.paired for pair in tested)]
    least = len(tested) * min(pair.smallest_p for pair in tested)
    return (
        f"p: two-sided, exact with ties, by {text}; corrected by Holm over {counted(len(tested), 'pair')}, so that it "
        f"cannot go below {min(1.0, least):.2g} here. Not told apart does not mean equal."
    )
