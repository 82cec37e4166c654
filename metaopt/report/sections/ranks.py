"""Ranks over the blocks of a study, as a section of its page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from metaopt.report.data.blocks import Blocks, blocks
from metaopt.report.data.clocks import View, budget_text
from metaopt.report.document.section import PageTable, Section, cells_table, records_table
from metaopt.report.figures.ranks import difference_plot, rank_plot
from metaopt.report.sections.pairs import p_text
from metaopt.report.stats.pairwise import ALPHA, smallest_signed_rank
from metaopt.report.stats.ranks import FEWEST_BLOCKS, Ranking, ranking

_TITLE = "Ranks"


def rank_section(views: Sequence[tuple[str, View]]) -> Section:
    """Returns average ranks with their figures, or why there are none.

    Args:
        views: Problem and the view that its groups are compared on.
    """
    found = blocks(views)
    if found is None:
        text = (
            f"Groups are not ranked: that takes two of them on every problem and {FEWEST_BLOCKS} blocks (seeds of a "
            "problem that all of them have), below which no test could find a significant difference."
        )
        return Section(_TITLE, (text,))
    ranked = ranking(found.labels, found.values[-1])
    return Section(
        _TITLE,
        _notes(views, found, ranked),
        (ranks_table("Average ranks", ranked),),
        (difference_plot(ranked, ""), rank_plot(found, "")),
        data=(ranks_data("ranks", ranked),),
    )


def ranks_table(title: str, ranked: Ranking) -> PageTable:
    """Returns average ranks for reading, the best first."""
    rows = (
        (f"{place}: {label}", f"{rank:.2f}", _alike(ranked, place - 1))
        for place, (label, rank) in enumerate(zip(ranked.labels, ranked.ranks, strict=True), start=1)
    )
    return cells_table(title, ("", "average rank", "not significantly different from"), rows)


def _alike(ranked: Ranking, place: int) -> str:
    near = {other for clique in ranked.cliques if place in clique for other in clique} - {place}
    return ", ".join(str(other + 1) for other in sorted(near)) or "different from all"


def ranks_data(file: str, ranked: Ranking) -> PageTable:
    """Returns average ranks and the corrected p of all pairs, for programs."""
    k, names = len(ranked.labels), ("group", "against", "average_rank", "corrected_p")
    single = [(ranked.labels[i], "", float(ranked.ranks[i]), None) for i in range(k)]
    pairs = [
        (ranked.labels[i], ranked.labels[j], None, float(ranked.corrected[i, j])) for i, j in combinations(range(k), 2)
    ]
    return records_table(file, (dict(zip(names, row, strict=True)) for row in (*single, *pairs)))


def _notes(views: Sequence[tuple[str, View]], found: Blocks, ranked: Ranking) -> tuple[str, ...]:
    budgets = "; ".join(f"{problem}: {budget_text(view)}" for problem, view in views)
    notes = [
        f"Average rank of the test regret at the common budget ({budgets}) over {ranked.n_blocks} blocks, one for "
        "every seed of a problem that all groups have; equal regrets share their rank. "
        + ("All blocks are of one problem, so the ranks say nothing of others." if len(views) == 1 else "")
    ]
    if found.left_out:
        notes.append(f"Not on every problem, and left out: {', '.join(found.left_out)}.")
    notes.append(tests_note(ranked))
    return tuple(note.strip() for note in notes)


def tests_note(ranked: Ranking) -> str:
    """Returns what the tests of a ranking are and what they say of all groups together."""
    return f"{_friedman(ranked)} {_pairwise(ranked)}".strip()


def _friedman(ranked: Ranking) -> str:
    if ranked.friedman_p is None:
        return ""
    p_value = p_text(ranked.friedman_p)
    if ranked.friedman_p >= ALPHA:
        return f"Friedman's test finds no significant difference (p = {p_value}), so no pair counts as different."
    return f"By Friedman's test the groups differ significantly (p {'' if '<' in p_value else '= '}{p_value})."


def _pairwise(ranked: Ranking) -> str:
    k, least = len(ranked.labels), smallest_signed_rank(ranked.n_blocks)
    count = k * (k - 1) // 2
    text = (
        f"Pairs: Wilcoxon's signed-rank test over the blocks, corrected by Holm over {count}, so that no p can go "
        f"below {min(1.0, count * least):.2g}."
    )
    if count * least >= ALPHA:
        text += " With so few blocks and so many groups no pair can be significantly different, whatever they found."
    return text
