"""The comparison as sections of a study's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from metaopt.report.data.anytime import curve_records, summaries
from metaopt.report.data.clocks import View, budget_text, left_out_note, main_view, views
from metaopt.report.data.contestants import Problem
from metaopt.report.data.regret import regret_name, regret_note
from metaopt.report.document.files import Names
from metaopt.report.document.markdown import Part, Record
from metaopt.report.figures.anytime import anytime_plot, looks, single_plot
from metaopt.report.figures.style import slug
from metaopt.report.sections.best_cells import best_cells, cells_notes, cells_plots, cells_records, cells_table
from metaopt.report.sections.checklist import checklist, checklist_records, checklist_table
from metaopt.report.sections.finals import Final, finals, finals_notes, finals_records, finals_table
from metaopt.report.sections.improvement import improvements, improvements_records, improvements_table
from metaopt.report.sections.pairs import pairs, pairs_notes, pairs_records, pairs_table
from metaopt.report.sections.ranks import rank_part
from metaopt.report.sections.targets import reached, targets_notes, targets_records, targets_table
from metaopt.report.stats.bootstrap import BAND_RESAMPLES, FEWEST


@dataclass(frozen=True)
class _Compared:
    """A problem with what is computed of it once.

    Attributes:
        problem: The problem.
        views: Its clocks.
        main: The one on whose budget groups are tested.
        finals: Where its groups stand on each clock, by the clock's name.
        prefix: Of file names; empty for the only problem of a study.
        suffix: Of titles, likewise.
    """

    problem: Problem
    views: list[View]
    main: View
    finals: dict[str, list[Final]]
    prefix: str
    suffix: str

    @property
    def at_main(self) -> list[Final]:
        """Where the groups stand at the budget on which they are tested."""
        return self.finals[self.main.clock.name]


def comparison_parts(problems: Sequence[Problem]) -> Iterator[Part]:
    """Yields the sections of all problems, then what holds over all of them."""
    prefixes = Names()
    names = [f"{prefixes.take(slug(problem.name))}-" if len(problems) > 1 else "" for problem in problems]
    compared = [_compared(problem, prefix) for problem, prefix in zip(problems, names, strict=True)]
    for one in compared:
        yield _anytime_part(one)
        yield _finals_part(one)
        yield _pairs_part(one)
        yield _targets_part(one)
        if (cells := _cells_part(one)) is not None:
            yield cells
    if compared:
        yield rank_part([(one.problem.name, one.main) for one in compared])
    if (part := _improvement_part(compared)) is not None:
        yield part
    if compared:
        items = checklist(problems)
        note = (
            "The practices of Lindauer and Hutter (2020), JMLR 21(243), in our words. Answered from the journals of "
            "the groups that are compared; what no journal holds is not answered here, which is not a no."
        )
        records = {"checklist.csv": checklist_records(items)}
        yield Part("Checklist of best practices", (note,), (checklist_table(items),), records)


def _compared(problem: Problem, prefix: str) -> _Compared:
    found = views(problem)
    return _Compared(
        problem=problem,
        views=found,
        main=main_view(problem, found),
        finals={view.clock.name: finals(view) for view in found},
        prefix=prefix,
        suffix=f", {problem.name}" if prefix else "",
    )


def _anytime_part(one: _Compared) -> Part:
    optima = [run.optimum_test_error for c in one.problem.contestants for run in c.data]
    plots, records = [], list[Record]()
    of = looks([contestant.label for contestant in one.problem.contestants])
    for view in one.views:
        found = summaries(view)
        records += curve_records(view, found)
        plots += [plot(view, found, of, regret_name(optima), one.prefix) for plot in (anytime_plot, single_plot)]
    notes = (
        f"{regret_note(optima)}; lower is better. {left_out_note(one.problem, one.views)}",
        "A curve begins where all runs of a group have found a cell and ends where the first of them ends; nothing is "
        f"padded. Bands are 95 % bootstrap intervals over runs at each place ({BAND_RESAMPLES} resamples), from "
        f"{FEWEST} runs on. A dotted line is the common budget, where it is not the end of all.",
        *one.problem.notes,
    )
    drawn = tuple(plot for plot in plots if plot is not None)
    return Part(f"Over the budget{one.suffix}", notes, (), {f"{one.prefix}curves.csv": records}, drawn)


def _finals_part(one: _Compared) -> Part:
    tables, notes, records = [], list[str](), list[Record]()
    for view in one.views:
        rows = one.finals[view.clock.name]
        records += finals_records(view, rows)
        if view is not one.main and _are_same(rows, one.at_main):
            notes.append(f"At the common budget of {budget_text(view)} all runs stand where they do above.")
            continue
        title, name = f"At {budget_text(view)}{one.suffix}", f"{one.prefix}final-regret-{view.clock.name}"
        tables.append(finals_table(title, name, rows))
        notes = [*notes, *(note for note in finals_notes(view, rows) if note not in notes)]
    return Part(
        f"At the common budget{one.suffix}", tuple(notes), tuple(tables), {f"{one.prefix}final-regret.csv": records}
    )


def _are_same(rows: Sequence[Final], others: Sequence[Final]) -> bool:
    return len(rows) == len(others) and all(
        np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(rows, others, strict=True)
    )


def _pairs_part(one: _Compared) -> Part:
    found = {view.clock.name: pairs(one.finals[view.clock.name]) for view in one.views}
    records = [record for view in one.views for record in pairs_records(view, found[view.clock.name])]
    shown = found[one.main.clock.name]
    others = [budget_text(view) for view in one.views if view is not one.main]
    more = (f"The file has the same tests at other common budgets, each corrected by itself: {'; '.join(others)}.",)
    return Part(
        f"Group against group{one.suffix}",
        (*pairs_notes(one.main, shown), *(more if others else ())),
        (pairs_table(f"Pairs{one.suffix}", shown),),
        {f"{one.prefix}pairs.csv": records},
    )


def _targets_part(one: _Compared) -> Part:
    found = reached(one.main, one.at_main)
    return Part(
        f"Time to a target{one.suffix}",
        targets_notes(one.main, found),
        (targets_table(f"Targets{one.suffix}", found),),
        {f"{one.prefix}targets.csv": targets_records(one.main, found)},
    )


def _cells_part(one: _Compared) -> Part | None:
    found = best_cells(one.problem)
    if not found:
        return None
    return Part(
        f"Best cells{one.suffix}",
        cells_notes(found),
        (cells_table(f"Best cells{one.suffix}", found),),
        {f"{one.prefix}best-cells.csv": cells_records(found)},
        cells_plots(found, one.prefix),
    )


def _improvement_part(compared: Sequence[_Compared]) -> Part | None:
    found = improvements([one.at_main for one in compared])
    if not found:
        return None
    note = (
        "Probability that a run of the first group ends with a lower test regret than one of the second at the common "
        "budget, a tie counting half; mean over the problems that have both, with a bootstrap that draws runs within "
        "each problem (Agarwal et al. 2021). 0.5 is no difference."
    )
    records = {"improvement.csv": improvements_records(found)}
    return Part("Over all problems", (note,), (improvements_table(found),), records)
