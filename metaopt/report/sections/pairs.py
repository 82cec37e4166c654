"""Every group against every other: a test, corrected for the number of pairs, and how much better one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from operator import attrgetter

from metaopt.core.wording import counted
from metaopt.report.data.clocks import View
from metaopt.report.document.section import NONE, Column, PageTable, cells_table, span
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
        p_value: Of the test; None if ``smallest_p`` is not below 5 %, so that no finding was possible.
        corrected: By Holm, over all pairs that were tested; None with ``p_value``.
        first_better: Which of the two the test favours; False also where it favours none.
        superiority: Probability that a run of ``a`` is better than one of ``b``.
        interval: Of that; None for few runs.
        clock: What the common budget is measured in.
        budget: The common budget.
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
    clock: str = ""
    budget: float = 0.0

    @property
    def is_significant(self) -> bool:
        """Whether the corrected p is below 5 %."""
        return self.corrected is not None and self.corrected < ALPHA

    @property
    def finding(self) -> str:
        """What the test says, in words."""
        if self.p_value is None:
            return f"no test was possible: n = {_runs(self.n)}"
        if not self.is_significant:
            return "not significantly different"
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
        clock=one.clock,
        budget=one.budget,
    )


def pairs_table(title: str, found: Sequence[Pair]) -> PageTable:
    """Returns a list of pairs; for many groups a square of what rows are worth against columns."""
    labels = list(dict.fromkeys(label for pair in found for label in (pair.a, pair.b)))
    return _list(title, found) if len(labels) <= LISTED else _square(title, found, labels)


def _list(title: str, found: Sequence[Pair]) -> PageTable:
    columns = (
        Column(None, "clock"),
        Column(None, "budget"),
        Column("", value=lambda pair: f"{pair.a} against {pair.b}"),
        Column(None, "group", attrgetter("a")),
        Column(None, "against", attrgetter("b")),
        Column("test", value=_test),
        Column(None, "test", lambda pair: "wilcoxon signed-rank" if pair.paired else "mann-whitney u"),
        Column("n", value=lambda pair: _runs(pair.n)),
        Column(None, "runs", lambda pair: pair.n[0]),
        Column(None, "runs_against", lambda pair: pair.n[1]),
        Column(None, "smallest_p"),
        Column("p", "p_value", show=p_text),
        Column("corrected p", "corrected_p", attrgetter("corrected"), p_text),
        Column("first better", "a12", attrgetter("superiority"), _two_digits),
        Column("95 % interval", value=attrgetter("interval"), show=lambda interval: span(interval, _two_digits)),
        Column(None, "a12_low", lambda pair: pair.interval and pair.interval[0]),
        Column(None, "a12_high", lambda pair: pair.interval and pair.interval[1]),
        Column("finding", "finding"),
    )
    return PageTable(title, columns, tuple(found))


def pairs_data(file: str, found: Sequence[Pair]) -> PageTable:
    """Returns all pairs as a table for programs."""
    return replace(_list(file, found), file=file)


def _two_digits(value: float) -> str:
    return f"{value:.2f}"


def _test(pair: Pair) -> str:
    if pair.p_value is None:
        return NONE
    return "signed-rank" if pair.paired else "rank-sum"


def p_text(p_value: float | None) -> str:
    """Returns a p value with two digits; very small ones as a bound, a dash for none."""
    if p_value is None:
        return NONE
    return "< .0001" if p_value < 1e-4 else f"{p_value:.2g}"


def _runs(n: tuple[int, int]) -> str:
    return str(n[0]) if n[0] == n[1] else f"{n[0]} and {n[1]}"


def _square(title: str, found: Sequence[Pair], labels: Sequence[str]) -> PageTable:
    cells = {(pair.a, pair.b): _cell(pair.superiority, pair) for pair in found}
    cells |= {(pair.b, pair.a): _cell(1 - pair.superiority, pair) for pair in found}
    rows = (
        (f"{place}: {label}", *(cells.get((label, other), NONE) for other in labels))
        for place, label in enumerate(labels, start=1)
    )
    return cells_table(title, ("", *map(str, range(1, len(labels) + 1))), rows)


def _cell(superiority: float, pair: Pair) -> str:
    return f"{superiority:.2f}{'*' if pair.is_significant else ''}"


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
        f"cannot go below {min(1.0, least):.2g} here. Not significantly different is not evidence of equality."
    )
