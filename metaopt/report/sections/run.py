"""The sections of a run's report: which figures, tables and remarks stand where. Words and numbers, no markup."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from metaopt.core.wording import counted
from metaopt.report.data.load import Evaluation, RunData
from metaopt.report.data.thinning import ROWS, thinned
from metaopt.report.document.section import NONE, PageTable, Section, number, times, value_text
from metaopt.report.figures.axes import quantity, short
from metaopt.report.figures.cells import cell_plot
from metaopt.report.figures.hyperparameters import importance_plot, parallel_plot, scatter_plot, varied
from metaopt.report.figures.progress import anytime_plot, confirmation_plot
from metaopt.report.figures.searches import correlation_plot, trajectory_plots
from metaopt.report.sections.headline import Split, confirmation, interval_text, ratio, shown
from metaopt.report.stats.curves import best_cell
from metaopt.report.stats.importance import TRUSTED_FIT, importance
from metaopt.report.stats.ratio import rank_correlation
from metaopt.runs.draws import only_draws

_REASONS = 50  # of failures, in a table
#: Of runs that look cells up; the tuner has no part in their first one.
FIRST_CELL_NOTE = (
    "A run of look-ups begins with the cell space's default: its first choice everywhere, which is one of the best "
    "cells there are. No tuner has found it, so what curves begin with is no merit of one."
)


def sections(run: RunData) -> list[Section]:
    """Returns all sections of a run, whatever state it is in."""
    return [
        _default_against_tuned(run),
        _progress(run),
        _hyperparameters(run),
        _searches(run),
        _cells(run),
        _trials(run),
        provenance(run.name, run.header),
    ]


def facts(run: RunData) -> list[tuple[str, str]]:
    """Returns the numbers at the top, as (name, value)."""
    budget = run.settings.get("budget")
    best = best_cell(run.ok)
    waiting = len(run.evaluations) - len(run.told)
    return [
        ("evaluations answered", f"{len(run.told)} of {budget}" if budget else str(len(run.told))),
        ("failed", str(len(run.told) - len(run.ok))),
        *([("restarts of trials", str(run.restarts))] if run.restarts else []),
        *([("unanswered", str(waiting))] if waiting else []),
        ("search epochs", str(sum(e.charged_epochs for e in run.told))),
        ("seconds", f"{max((e.told_s for e in run.told), default=0.0):.0f}"),
        ("lowest validation error", NONE if best is None else f"{best.valid_error:.4f}"),
        ("its test error", number(best.final_test_error) if best else NONE),
        ("predicted, not measured", f"{run.predicted} of {len(run.ok)}"),
    ]


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


def _default_against_tuned(run: RunData) -> Section:
    found, best = confirmation(run), run.incumbent
    notes, plots, tables = [], [], []
    if found.default or found.tuned:
        plots.append(confirmation_plot(run, found.default, found.tuned))
        tables.append(_repeats(run))
    elif best is not None and run.has_default:
        notes.append("Nothing was confirmed: there is no finished repeat of the default and the incumbent.")
    if found.failed:
        notes.append(
            f"The means leave out {counted(found.failed, 'repeat')} of the confirmation, failed or not finished."
        )
    if best is not None:
        begin = "Tuned means the incumbent," if run.has_default else "The incumbent is"
        notes.append(
            f"{begin} trial {best.trial.id}: the lowest validation error at the largest epochs evaluated, "
            f"{best.trial.epochs}."
        )
        tables.append(_configurations(run, best))
    title = "Default against tuned" if run.has_default else "Incumbent"
    return Section("tuned", title, tuple(notes), tuple(plots), tuple(tables))


def _repeats(run: RunData) -> PageTable:
    found = confirmation(run)
    rows = []
    splits: tuple[tuple[Split, str], ...] = (("test", "test"), ("valid", "validation"))
    for split, word in splits:
        for side, repeats in (("default", found.default), ("tuned", found.tuned)):
            values = shown(run, repeats, split)
            singles = " ".join(f"{value:.4f}" for value in values)
            rows.append(
                (f"{side}, {word}", number(fmean(values) if values else None), str(len(values)), singles or NONE)
            )
        result = ratio(run, split)
        rows.append((f"default / tuned, {word}", times(result.value), "", interval_text(result)))
    return PageTable(f"Every repeat: {quantity(run)}", ("", "mean", "n", "single values"), tuple(rows))


def _configurations(run: RunData, best: Evaluation) -> PageTable:
    rows = []
    for h in run.space:
        span = ", ".join(map(str, h.choices)) or f"{short(h.lower)} to {short(h.upper)}{', log' if h.log else ''}"
        default = [value_text(run.default.get(h.name))] if run.has_default else []
        rows.append((h.name, *default, value_text(best.trial.config.get(h.name)), span))
    head = ("default", "tuned") if run.has_default else ("incumbent",)
    return PageTable("Configurations", ("hyperparameter", *head, "range"), tuple(rows))


def _progress(run: RunData) -> Section:
    if not run.ok:
        return Section("progress", "Anytime performance", ("There is no finished trial to draw.",))
    return Section(
        "progress", "Anytime performance", (), (anytime_plot(run, "evaluations"), anytime_plot(run, "seconds"))
    )


def _hyperparameters(run: RunData) -> Section:
    title = "Hyperparameters"
    if not run.ok or not varied(run):
        return Section("hyperparameters", title, ("There is no finished trial, or nothing that varies, to draw.",))
    found = importance(run)
    notes, plots = [], []
    if not found.names:
        notes.append(
            f"Importance is not computed of {counted(found.n_trials, 'finished trial')}, too few or all alike: "
            f"{found.n_needed} different ones are needed."
        )
    else:
        trust = "too little to trust the shares" if found.fit < TRUSTED_FIT else "so the shares mean something"
        notes.append(
            f"The importance rests on {found.n_trials} trials; the forests explain {max(0.0, found.fit):.0%} of the "
            f"variance of trials they have not seen (out-of-bag R² {found.fit:.2f}), {trust}."
        )
        plots.append(importance_plot(found))
    if any(e.is_final for e in run.ok):
        plots.append(parallel_plot(run))
    plots += [scatter_plot(run, h) for h in varied(run)]
    return Section("hyperparameters", title, tuple(notes), tuple(plots))


def _searches(run: RunData) -> Section:
    title = "Inside the searches"
    pairs = [e for e in run.ok if not math.isnan(e.one_shot_error)]
    if not pairs:
        return Section("searches", title, ("The trials carry no one-shot error.",))
    searches = _searches_with_trajectory(run)
    plots = [correlation_plot(run, pairs), *(trajectory_plots(run, searches) if searches else ())]
    levels = sorted({e.trial.epochs for e in pairs})
    rows = [_correlation_row("all", pairs)]
    if len(levels) > 1:
        rows += [_correlation_row(str(level), [e for e in pairs if e.trial.epochs == level]) for level in levels]
    table = PageTable(
        "Rank correlation of one-shot error and table validation error",
        ("epochs", "n", "Spearman ρ", "95 % interval", "Kendall τ"),
        tuple(rows),
    )
    note = (
        "Trials of different epochs differ in both errors: only a row of one number of epochs compares like with like."
    )
    return Section("searches", title, (note,) if len(levels) > 1 else (), tuple(plots), (table,))


def _searches_with_trajectory(run: RunData) -> dict[str, Evaluation]:
    roles = {"default": run.default_evaluation, "tuned": run.incumbent}
    return {role: e for role, e in roles.items() if e is not None and e.info.get("trajectory")}


def _correlation_row(label: str, pairs: Sequence[Evaluation]) -> tuple[str, ...]:
    found = rank_correlation([e.one_shot_error for e in pairs], [e.valid_error for e in pairs])
    interval = NONE if found.low is None or found.high is None else f"{found.low:.2f} to {found.high:.2f}"
    rho, tau = (NONE if value is None else f"{value:.2f}" for value in (found.spearman, found.kendall))
    return label, str(found.n), rho, interval, tau


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
    notes = () if plots else ("The trials carry no cells.",)
    return Section("cells", "Cells", notes, tuple(plots))


def _trials(run: RunData) -> Section:
    tables = []
    reasons = Counter((e.result.status, e.result.reason) for e in run.told if e.result and not e.ok)
    if reasons:
        rows = tuple((status, reason or NONE, str(n)) for (status, reason), n in reasons.most_common(_REASONS))
        title = "Failures by reason" if len(reasons) <= _REASONS else f"The {_REASONS} most frequent failures by reason"
        tables.append(PageTable(title, ("status", "reason", "trials"), rows))
    head = (
        "trial",
        "key",
        "epochs",
        "status",
        "validation",
        "test",
        "one-shot",
        "seconds",
        *(h.name for h in run.space),
    )
    shown = thinned(run, run.evaluations, ROWS)
    there = len(run.evaluations)
    title = f"All {counted(there, 'trial')}" if len(shown) == there else f"{len(shown):,} of {there:,} trials"
    tables.append(PageTable(title, head, tuple(_trial_row(run, e) for e in shown), folded=True))
    cut = f"The table of trials has {title}: those that were the best so far, and an even choice of the others."
    notes = () if len(shown) == there else (f"{cut} All of them stand in the file beside this page.",)
    return Section("trials", "Trials", notes, tables=tuple(tables))


def _trial_row(run: RunData, e: Evaluation) -> tuple[str, ...]:
    return (
        *(str(value) for value in (e.trial.id, e.trial.key, e.trial.epochs)),
        e.result.status if e.result else "unanswered",
        *(number(value) for value in (e.valid_error, e.test_error, e.one_shot_error)),
        f"{e.result.cost_s:.1f}" if e.result else NONE,
        *(value_text(e.trial.config.get(h.name)) for h in run.space),
    )


def provenance(name: str, header: Mapping[str, Any]) -> Section:
    """Returns where the numbers are from.

    Args:
        name: Of the run or search.
        header: First line of its journal, or what is kept of a search.
    """
    command = header.get("command") or ()
    top = [
        ("run", name),
        ("command", command if isinstance(command, str) else shlex.join(map(str, command))),
        ("started", str(header.get("started", NONE))),
    ]
    tables = [PageTable("Run", ("", ""), tuple(top))]
    for title, key in (
        ("Settings", "run"),
        ("Objective and table", "objective"),
        ("Versions", "versions"),
        ("Host", "host"),
    ):
        rows = tuple(_flat(header.get(key) or {}))
        if rows:
            tables.append(PageTable(title, ("", ""), rows, folded=True))
    return Section("provenance", "Provenance", tables=tuple(tables))


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", NONE if value is None else str(value)
