"""The sections of a run's page: which figures, tables and sentences stand where. Words and numbers, no markup."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter
from statistics import fmean
from typing import Any

from metaopt.core.wording import counted
from metaopt.report.data.incumbents import best_cell
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.data.thinning import listed
from metaopt.report.document.section import (
    NONE,
    Column,
    PageTable,
    Section,
    cells_table,
    number,
    span,
    times,
    value_text,
)
from metaopt.report.figures.axes import quantity, short
from metaopt.report.figures.cells import cell_plot
from metaopt.report.figures.hyperparameters import importance_plot, parallel_plot, scatter_plot, varied
from metaopt.report.figures.progress import anytime_plot, confirmation_plot
from metaopt.report.figures.searches import correlation_plot, trajectory_plots
from metaopt.report.figures.style import trial_place
from metaopt.report.sections.headline import Split, confirmation, confirming, interval_text, ratio, shown
from metaopt.report.stats.importance import Importance
from metaopt.report.stats.ratio import RankCorrelation, rank_correlation
from metaopt.runs.draws import only_draws
from metaopt.runs.record import SIDES

_REASONS = 50  # of failures, in a table
#: Of runs that look cells up; the tuner has no part in their first one.
FIRST_CELL_NOTE = (
    "A run of look-ups begins with the cell space's default: its first choice everywhere, which is one of the best "
    "cells there are. No tuner has found it, so what curves begin with is no merit of one."
)


def run_sections(run: RunData, found: Importance) -> Iterator[Section]:
    """Yields the sections of a run, whatever state it is in.

    Args:
        run: The run.
        found: Importance of its hyperparameters.
    """
    yield _incumbent(run)
    yield _progress(run)
    yield _hyperparameters(run, found)
    if not run.looks_up:
        yield _searches(run)
    yield _cells(run)
    yield _trials(run)
    yield provenance(run.name, run.header)


def facts(run: RunData) -> tuple[tuple[str, str], ...]:
    """Returns the numbers at the top, as (name, value)."""
    budget = run.settings.get("budget")
    best = best_cell(run.ok)
    waiting = len(run.evaluations) - len(run.told)
    predicted = run.predicted or run.is_partial
    return (
        ("evaluations answered", f"{len(run.told)} of {budget}" if budget else str(len(run.told))),
        ("failed", str(len(run.told) - len(run.ok))),
        *([("restarts of trials", str(run.restarts))] if run.restarts else []),
        *([("unanswered", str(waiting))] if waiting else []),
        ("epochs looked up" if run.looks_up else "search epochs", f"{sum(e.charged_epochs for e in run.told):,}"),
        ("seconds", f"{max((e.told_s for e in run.told), default=0.0):,.0f}"),
        ("lowest validation error", NONE if best is None else f"{best.valid_error:.4f}"),
        ("its test error", number(best.final_test_error) if best else NONE),
        *([("predicted, not measured", f"{run.predicted} of {len(run.ok)}")] if predicted else []),
    )


def state(run: RunData) -> tuple[str, ...]:
    """Returns what a reader must know of the run's state, as sentences; nothing for a complete run."""
    notes = []
    budget = run.settings.get("budget")
    if budget and len(run.told) < budget:
        notes.append(
            f"Answered are {len(run.told)} of a budget of {counted(budget, 'evaluation')}: the run goes on, was "
            "interrupted, or ended by another of its limits."
        )
    if run.optimum_valid_error is None:
        notes.append("The optimum is unknown here, so errors are shown where regrets would stand.")
    if run.looks_up and run.starts_at_default:
        notes.append(FIRST_CELL_NOTE)
    if sentence := only_draws(run.settings, [e.trial for e in run.evaluations]):
        notes.append(sentence)
    if run.cut_short:
        notes.append(cut_short_note(run.cut_short))
    notes += [f"A journal ends in the middle of a line: {text}." for text in run.torn]
    return tuple(notes)


def cut_short_note(number: int) -> str:
    """Returns how the page treats look-ups whose cells' regret is unknown.

    Args:
        number: How many there are.
    """
    return (
        f"{counted(number, 'look-up')} asked for fewer epochs than the table has, and the journal does not say what "
        "the cell is worth after all of them. Their errors are of short trainings, which no curve and no choice of a "
        "cell takes in."
    )


def _is_compared(run: RunData) -> bool:
    """Returns whether the page compares the incumbent with a default."""
    return run.has_default and (not run.looks_up or bool(run.confirmed))


def _incumbent(run: RunData) -> Section:
    found, best = confirmation(run), run.incumbent
    notes, plots, tables = [], [], []
    if found.default or found.tuned:
        plots.append(confirmation_plot(run, found.default, found.tuned))
        tables.append(_repeats(run))
    elif best is not None and _is_compared(run):
        notes.append("Nothing was confirmed: there is no finished repeat of the default and the incumbent.")
    if found.failed:
        notes.append(
            f"The means leave out {counted(found.failed, 'repeat')} of the confirmation, failed or not finished."
        )
    if best is not None:
        begin = "Tuned means the incumbent," if _is_compared(run) else "The incumbent is"
        notes.append(
            f"{begin} trial {best.trial.id}: the lowest validation error at the largest epochs evaluated, "
            f"{best.trial.epochs}."
        )
        tables.append(_configurations(run, best))
    title = "Default against tuned" if _is_compared(run) else "Incumbent"
    return Section(title, tuple(notes), tuple(tables), tuple(plots), name="tuned")


def _repeats(run: RunData) -> PageTable:
    found = confirmation(run)
    rows = []
    splits: tuple[tuple[Split, str], ...] = (("test", "test"), ("valid", "validation"))
    for split, word in splits:
        for side, repeats in (("default", found.default), ("tuned", found.tuned)):
            values = shown(run, repeats, split)
            singles = " ".join(f"{value:.4f}" for value in values)
            rows.append((f"{side}, {word}", number(fmean(values) if values else None), str(len(values)), singles))
        result = ratio(run, split)
        rows.append((f"default / tuned, {word}", times(result.value), "", interval_text(result)))
    return cells_table(f"Every repeat: {quantity(run)}", ("", "mean", "n", "single values"), rows)


def _configurations(run: RunData, best: Evaluation) -> PageTable:
    columns = (
        Column("choice" if run.looks_up else "hyperparameter", "name"),
        *((Column("default", value=lambda h: run.default.get(h.name)),) if run.has_default else ()),
        Column("tuned" if _is_compared(run) else "incumbent", value=lambda h: best.trial.config.get(h.name)),
        Column("range", value=_range),
    )
    return PageTable("Configurations", columns, run.space)


def _range(hyperparameter: Any) -> str:
    h = hyperparameter
    return ", ".join(map(str, h.choices)) or f"{short(h.lower)} to {short(h.upper)}{', log' if h.log else ''}"


def _progress(run: RunData) -> Section:
    title, name = "Anytime performance", "progress"
    if not run.ok:
        return Section(title, ("There is no finished trial to draw.",), name=name)
    return Section(title, plots=(anytime_plot(run, "evaluations"), anytime_plot(run, "seconds")), name=name)


def _hyperparameters(run: RunData, found: Importance) -> Section:
    title, name = "Choices of a cell" if run.looks_up else "Hyperparameters", "hyperparameters"
    if not run.ok or not varied(run):
        return Section(title, ("There is no finished trial, or nothing that varies, to draw.",), name=name)
    plots = []
    if not found.names:
        note = (
            f"Importance is not computed of {counted(found.n_trials, 'finished trial')}, too few or all alike: "
            f"{found.n_needed} different ones are needed."
        )
    elif not found.is_trusted:
        note = (
            f"Importance is not shown: forests fitted to {found.n_trials} trials explain {max(0.0, found.fit):.0%} of "
            f"the variance of trials they have not seen (out-of-bag R² {found.fit:.2f}), too little to trust any share."
        )
    else:
        note = (
            f"The importance rests on {found.n_trials} trials; the forests explain {found.fit:.0%} of the variance of "
            f"trials they have not seen (out-of-bag R² {found.fit:.2f}), so the shares mean something."
        )
        plots.append(importance_plot(found))
    plots += [scatter_plot(run, h) for h in varied(run)]
    if any(e.is_final for e in run.ok):
        plots.append(parallel_plot(run))
    return Section(title, (note,), plots=tuple(plots), name=name)


def _searches(run: RunData) -> Section:
    title, name = "Inside the searches", "searches"
    pairs = [e for e in run.ok if not math.isnan(e.one_shot_error)]
    if not pairs:
        return Section(title, ("The trials carry no one-shot error.",), name=name)
    searches = searches_with_trajectory(run)
    plots = [correlation_plot(run, pairs), *(trajectory_plots(run, searches) if searches else ())]
    levels = sorted({e.trial.epochs for e in pairs})
    rows = [_correlation_row("all", pairs)]
    if len(levels) > 1:
        rows += [_correlation_row(str(level), [e for e in pairs if e.trial.epochs == level]) for level in levels]
    columns = (
        Column("epochs", value=itemgetter(0)),
        Column("n", value=lambda row: row[1].n),
        Column("Spearman ρ", value=lambda row: row[1].spearman, show=_two_digits),
        Column("95 % interval", value=lambda row: _bounds(row[1]), show=lambda bounds: span(bounds, _two_digits)),
        Column("Kendall τ", value=lambda row: row[1].kendall, show=_two_digits),
    )
    table = PageTable("Rank correlation of one-shot error and table validation error", columns, tuple(rows))
    note = (
        "Trials of different epochs differ in both errors: only a row of one number of epochs compares like with like."
    )
    return Section(title, (note,) if len(levels) > 1 else (), (table,), tuple(plots), name=name)


def searches_with_trajectory(run: RunData) -> dict[str, Evaluation]:
    """Returns a search of the default and one of the incumbent, of equal epochs, by ``default`` and ``tuned``.

    These are the trials of the largest epochs that both were evaluated at; without such ones, the first fresh searches
    of the confirmation. Where neither exists only the incumbent's trial is returned: curves of different epochs would
    compare lengths, not configurations.
    """
    best = run.incumbent
    if best is not None and dict(best.trial.config) == dict(run.default):
        return {"default": best} if best.info.get("trajectory") else {}
    drawn = [e for e in run.ok if e.info.get("trajectory")]
    of_default = {e.trial.epochs: e for e in drawn if dict(e.trial.config) == dict(run.default)}
    of_tuned = {e.trial.epochs: e for e in drawn if best and dict(e.trial.config) == dict(best.trial.config)}
    if common := of_default.keys() & of_tuned.keys():
        return {"default": of_default[max(common)], "tuned": of_tuned[max(common)]}
    fresh = {side: [e for e in confirming(run, side) if e.ok and e.info.get("trajectory")] for side in SIDES}
    if all(fresh.values()):
        return {str(side): found[0] for side, found in fresh.items()}
    return {"tuned": best} if best is not None and best.info.get("trajectory") else {}


def _correlation_row(label: str, pairs: Sequence[Evaluation]) -> tuple[str, RankCorrelation]:
    return label, rank_correlation([e.one_shot_error for e in pairs], [e.valid_error for e in pairs])


def _bounds(found: RankCorrelation) -> tuple[float, float] | None:
    return None if found.low is None or found.high is None else (found.low, found.high)


def _two_digits(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _cells(run: RunData) -> Section:
    best, default = best_cell(run.ok), run.default_evaluation
    plots = []
    for name, title, e in (("best-cell", "Best cell found", best), ("default-cell", "Cell of the default", default)):
        if e is not None and (graph := e.graph) is not None:
            trial = f"Trial {e.trial.id}, {counted(e.trial.epochs, 'epoch')}"
            caption = f"{trial}: validation error {number(e.valid_error)}, test error {number(e.test_error)}."
            if e.short:
                errors = f"validation error {number(e.final_valid_error)}, test error {number(e.final_test_error)}"
                caption += f" After all epochs: {errors}."
            plots.append(cell_plot(graph, name, title, caption))
    return Section("Cells", () if plots else ("The trials carry no cells.",), plots=tuple(plots), name="cells")


def _trials(run: RunData) -> Section:
    tables = []
    reasons = Counter((e.result.status, e.result.reason) for e in run.told if e.result and not e.ok)
    if reasons:
        rows = ((status, reason or NONE, n) for (status, reason), n in reasons.most_common(_REASONS))
        title = "Failures by reason" if len(reasons) <= _REASONS else f"The {_REASONS} most frequent failures by reason"
        tables.append(cells_table(title, ("status", "reason", "trials"), rows))
    shown = listed(run)
    there = len(run.evaluations)
    title = f"All {counted(there, 'trial')}" if len(shown) == there else f"{len(shown):,} of {there:,} trials"
    tables.append(trials_table(title, run, shown))
    cut = f"The table of trials has {title}: those that were the best so far, and an even choice of the others."
    notes = () if len(shown) == there else (f"{cut} All of them are in the file beside this page.",)
    return Section("Trials", notes, tuple(tables), name="trials")


def trials_table(title: str, run: RunData, trials: Sequence[Evaluation]) -> PageTable:
    """Returns trials for readers, a row each, which dots in figures link to."""
    columns = (
        *(Column(name, value=attrgetter(f"trial.{field}")) for name, field in _OF_TRIAL),
        Column("status", value=lambda e: e.result.status if e.result else "unanswered"),
        Column("validation", value=attrgetter("valid_error"), show=number),
        Column("test", value=attrgetter("test_error"), show=number),
        *(() if run.looks_up else (Column("one-shot", value=attrgetter("one_shot_error"), show=number),)),
        Column("seconds", value=lambda e: f"{e.result.cost_s:.1f}" if e.result else NONE),
        *(_config_column(h.name) for h in run.space),
    )
    return PageTable(title, columns, tuple(trials), folded=True, anchor=lambda e: trial_place(e.trial.id))


_OF_TRIAL = (("trial", "id"), ("key", "key"), ("epochs", "epochs"))


def _config_column(name: str) -> Column:
    return Column(name, value=lambda e: e.trial.config.get(name), show=value_text)


def provenance(name: str, header: Mapping[str, Any]) -> Section:
    """Returns where the numbers are from.

    Args:
        name: Of the run or search.
        header: First line of its journal, or the record of a search.
    """
    command = header.get("command") or ()
    top = [
        ("run", name),
        ("command", command if isinstance(command, str) else shlex.join(map(str, command))),
        ("started", str(header.get("started", NONE))),
    ]
    tables = [cells_table("Run", ("", ""), top)]
    for title, key in (
        ("Settings", "run"),
        ("Objective and table", "objective"),
        ("Versions", "versions"),
        ("Host", "host"),
    ):
        if rows := tuple(_flat(header.get(key) or {})):
            tables.append(cells_table(title, ("", ""), rows, folded=True))
    return Section("Provenance", tables=tuple(tables), name="provenance")


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", NONE if value is None else str(value)
