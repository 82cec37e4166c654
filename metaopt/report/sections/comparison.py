"""The comparison as sections of a study's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metaopt.report.data.anytime import curve_records, summaries
from metaopt.report.data.clocks import View, budget_text, left_out_note, main_view, views
from metaopt.report.data.contestants import Problem
from metaopt.report.data.regret import regret_name, regret_note
from metaopt.report.document.files import Names
from metaopt.report.document.section import PageTable, Record, Section, records_table
from metaopt.report.figures.anytime import anytime_plot, looks, single_plot
from metaopt.report.figures.style import slug
from metaopt.report.sections.best_cells import best_cells, best_cells_table, cells_notes, cells_plots
from metaopt.report.sections.checklist import checklist, checklist_table
from metaopt.report.sections.finals import Final, finals, finals_notes, finals_table
from metaopt.report.sections.improvement import improvements, improvements_table
from metaopt.report.sections.pairs import Pair, pairs, pairs_data, pairs_notes, pairs_table
from metaopt.report.sections.ranks import rank_section
from metaopt.report.sections.targets import reached, targets_notes, targets_table
from metaopt.report.stats.bootstrap import BAND_RESAMPLES, FEWEST


@dataclass(frozen=True)
class Compared:
    """A problem with what is computed of it once.

    Attributes:
        problem: The problem.
        views: Its clocks.
        main: The one on whose budget groups are tested.
        finals: Where its groups stand on each clock, by the clock's name.
        pairs: Every two groups on each clock, likewise.
        prefix: Of file names; empty for the only problem of a study.
        suffix: Of titles, likewise.
    """

    problem: Problem
    views: list[View]
    main: View
    finals: dict[str, list[Final]]
    pairs: dict[str, list[Pair]]
    prefix: str
    suffix: str

    @property
    def at_main(self) -> list[Final]:
        """Where the groups stand at the budget on which they are tested."""
        return self.finals[self.main.clock.name]


def compare(problems: Sequence[Problem]) -> list[Compared]:
    """Returns each problem with the numbers of its comparison."""
    prefixes = Names()
    names = [f"{prefixes.take(slug(problem.name))}-" if len(problems) > 1 else "" for problem in problems]
    return [_compared(problem, prefix) for problem, prefix in zip(problems, names, strict=True)]


def comparison_sections(compared: Sequence[Compared]) -> Iterator[Section]:
    """Yields the sections of all problems, then those over all of them."""
    for one in compared:
        yield _anytime(one)
        yield _finals(one)
        yield _pairs(one)
        yield _targets(one)
        if (cells := _cells(one)) is not None:
            yield cells
    if compared:
        yield rank_section([(one.problem.name, one.main) for one in compared])
    if (part := _improvement(compared)) is not None:
        yield part
    if compared:
        items = checklist([one.problem for one in compared])
        note = (
            "The practices of Lindauer and Hutter (2020), JMLR 21(243), in our words. Answered from the journals of "
            "the groups that are compared; items that journals cannot answer are left open, which is not a no."
        )
        yield Section("Checklist of best practices", (note,), (checklist_table(items),))


def _compared(problem: Problem, prefix: str) -> Compared:
    found = views(problem)
    at = {view.clock.name: finals(view) for view in found}
    return Compared(
        problem=problem,
        views=found,
        main=main_view(problem, found),
        finals=at,
        pairs={clock: pairs(rows) for clock, rows in at.items()},
        prefix=prefix,
        suffix=f", {problem.name}" if prefix else "",
    )


def _anytime(one: Compared) -> Section:
    optima = [run.optimum_test_error for c in one.problem.contestants for run in c.data]
    plots, records = [], list[Record]()
    of = looks([contestant.label for contestant in one.problem.contestants])
    for view in one.views:
        found = summaries(view)
        records += curve_records(view, found)
        plots += [plot(view, found, of, regret_name(optima), one.prefix) for plot in (single_plot, anytime_plot)]
    notes = (
        f"{regret_note(optima)}; lower is better. {left_out_note(one.problem, one.views)}",
        "A curve begins where all runs of a group have found a cell and ends where the first of them ends; nothing is "
        f"padded. Bands are 95 % bootstrap intervals over runs at each place ({BAND_RESAMPLES} resamples), from "
        f"{FEWEST} runs on. A dotted line is the common budget, where it is not the end of all.",
        *one.problem.notes,
    )
    drawn = tuple(plot for plot in plots if plot is not None)
    data = (records_table(f"{one.prefix}curves", records),)
    return Section(f"Over the budget{one.suffix}", notes, (), drawn, data=data)


def _finals(one: Compared) -> Section:
    tables, notes = list[PageTable](), list[str]()
    for view in one.views:
        rows = one.finals[view.clock.name]
        if view is not one.main and _are_same(rows, one.at_main):
            notes.append(f"At the common budget of {budget_text(view)} all runs stand where they do above.")
            continue
        title, name = f"At {budget_text(view)}{one.suffix}", f"{one.prefix}final-regret-{view.clock.name}"
        tables.append(finals_table(title, name, rows))
        notes = [*notes, *(note for note in finals_notes(view, rows) if note not in notes)]
    every = [row for view in one.views for row in one.finals[view.clock.name]]
    data = replace(finals_table("", "", every), file=f"{one.prefix}final-regret")
    return Section(f"At the common budget{one.suffix}", tuple(notes), tuple(tables), data=(data,))


def _are_same(rows: Sequence[Final], others: Sequence[Final]) -> bool:
    return len(rows) == len(others) and all(
        np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(rows, others, strict=True)
    )


def _pairs(one: Compared) -> Section:
    every = [pair for view in one.views for pair in one.pairs[view.clock.name]]
    shown = one.pairs[one.main.clock.name]
    others = [budget_text(view) for view in one.views if view is not one.main]
    more = (f"The file has the same tests at other common budgets, each corrected by itself: {'; '.join(others)}.",)
    return Section(
        f"Group against group{one.suffix}",
        (*pairs_notes(one.main, shown), *(more if others else ())),
        (pairs_table(f"Pairs{one.suffix}", shown),),
        data=(pairs_data(f"{one.prefix}pairs", every),),
    )


def _targets(one: Compared) -> Section:
    found = reached(one.main, one.at_main)
    table = targets_table(f"Targets{one.suffix}", f"{one.prefix}targets", found)
    return Section(f"Time to a target{one.suffix}", targets_notes(one.main, found), (table,))


def _cells(one: Compared) -> Section | None:
    found = best_cells(one.problem)
    if not found:
        return None
    table = best_cells_table(f"Best cells{one.suffix}", f"{one.prefix}best-cells", found)
    return Section(f"Best cells{one.suffix}", cells_notes(found), (table,), cells_plots(found, one.prefix))


def _improvement(compared: Sequence[Compared]) -> Section | None:
    found = improvements([one.at_main for one in compared])
    if not found:
        return None
    note = (
        "Probability that a run of the first group ends with a lower test regret than one of the second at the common "
        "budget, a tie counting half; mean over the problems that have both, with a bootstrap that draws runs within "
        "each problem (Agarwal et al. 2021). 0.5 is no difference."
    )
    return Section("Over all problems", (note,), (improvements_table(found),))
