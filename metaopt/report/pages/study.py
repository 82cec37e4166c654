"""The page of a study, as HTML and as Markdown, its tables as CSV, its figures as files. It reads journals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from metaopt.core.errors import RunError
from metaopt.core.wording import counted
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group, grid_repeats, study_groups
from metaopt.report.data.load import RunData, load_run
from metaopt.report.data.regret import regret_name
from metaopt.report.data.trajectories import QUANTITIES
from metaopt.report.document.files import differing_files, write_files
from metaopt.report.document.html import PAGE, render_html
from metaopt.report.document.markdown import README, render_markdown
from metaopt.report.document.page import Page, render_sections
from metaopt.report.document.section import Column, PageTable, Section, number, times
from metaopt.report.figures.progress import comparison_plot
from metaopt.report.figures.study import eigenvalue_plot, trajectory_plot, tuned_plot
from metaopt.report.figures.style import drawing
from metaopt.report.sections.comparison import Compared, compare, comparison_sections
from metaopt.report.sections.headline import ratio
from metaopt.report.sections.importance import (
    group_importance,
    importance_data,
    importance_notes,
    importance_table,
    untold_note,
)
from metaopt.report.sections.repeats import (
    RepeatsFinal,
    curves_data,
    eigenvalue_notes,
    repeats_finals,
    repeats_notes,
    repeats_table,
)
from metaopt.report.sections.run import FIRST_CELL_NOTE, cut_short_note
from metaopt.report.sections.summary import study_summary
from metaopt.report.sections.tuned import Tuned, tuned, tuned_notes, tuned_table
from metaopt.report.sections.tuner_ranks import tuner_section
from metaopt.report.stats.curves import regret
from metaopt.runs.draws import only_draws
from metaopt.runs.folder import RunFolder

_MOST_RUNS = 100  # in a table for reading


@dataclass(frozen=True)
class StudyText:
    """What the file of a study says that no journal does.

    Attributes:
        title: Of the study.
        text: Markdown; may be empty.
        command: That makes the study, as it was called; empty without one.
        runs: Names of all its runs, in order: folders in the study's folder.
        unfinished: Those that have not come to their end.
    """

    title: str
    text: str
    command: str
    runs: tuple[str, ...]
    unfinished: tuple[str, ...]


def write_study(study: StudyText, out: Path, journals: Path) -> Path:
    """Writes both pages, tables and figures into the folder of a study and returns the HTML page.

    Args:
        study: What its file says.
        out: The folder.
        journals: Where the folders of its runs can be read.

    Raises:
        RunError: if the study has no run yet, or if the folder cannot be written.
        JournalError: if a journal is damaged.
    """
    write_files(out, render_study(study, journals))
    return out / PAGE


def check_study(study: StudyText, out: Path, journals: Path) -> list[str]:
    """Renders a study again and compares it, numbers as numbers, with what is in its folder; arguments as for writing.

    The command in the first line is taken as it stands there: it says from where it was called, not what it found.

    Returns:
        The files that differ, are missing or left over; empty if the study says what its journals say.
    """
    page = out / README
    if page.is_file() and (lines := page.read_text(encoding="utf-8", errors="replace").splitlines()):
        study = replace(study, command=lines[0].strip("`"))
    return differing_files(out, render_study(study, journals))


def render_study(study: StudyText, journals: Path) -> dict[str, bytes]:
    """Returns every file by its path in the study's folder; the same for the same journals."""
    runs = [load_run(journals / name) for name in study.runs if RunFolder(journals / name).begun]
    if not runs:
        raise RunError(f"{journals} has no run of the study yet", "leave out --no-run or --check to run it")
    files: dict[str, bytes] = {}
    page = study_page(study, runs, files)
    return {README: render_markdown(page), PAGE: render_html(page), **files}


@dataclass(frozen=True)
class _Found:
    """What a page of several runs is made of, computed once.

    Attributes:
        runs: All of them.
        searched: Groups of one-shot optimizers that a tuner chose configurations for.
        compared: The problems on which groups are compared.
        tuned: Default against tuned, by groups that confirm both, or for want of a comparison all that tune.
        told: These groups.
        repeats: Where the searches of grids ended.
    """

    runs: Sequence[RunData]
    searched: Sequence[Group]
    compared: Sequence[Compared]
    tuned: Sequence[Tuned]
    told: Sequence[Group]
    repeats: Sequence[RepeatsFinal]


def study_page(study: StudyText, runs: Sequence[RunData], files: dict[str, bytes]) -> Page:
    """Returns the page of several runs and adds its figures and tables to ``files``."""
    groups = study_groups(runs)
    found = _found(groups, runs)
    with drawing():
        sections = render_sections(_sections(found), files, latex=True)
    return Page(
        kind="study",
        title=study.title,
        summary=study_summary(groups, found.compared, found.tuned, found.repeats),
        sections=sections,
        command=study.command,
        text=study.text,
        warnings=tuple(_warnings(study, runs, groups)),
    )


def _warnings(study: StudyText, runs: Sequence[RunData], groups: Sequence[Group]) -> Iterator[str]:
    """Yields what a reader must know before any number."""
    if study.unfinished:
        names = ", ".join(study.unfinished)
        yield f"**Not complete**: {len(study.unfinished)} of {counted(len(study.runs), 'run')} not finished: {names}."
    if any(run.looks_up and run.starts_at_default for run in runs):
        yield FIRST_CELL_NOTE
    for group in groups:
        trials = [e.trial for run in group.runs for e in run.evaluations]
        if sentence := only_draws(group.runs[0].settings, trials):
            yield f"{group.label}: {sentence}"
    if cut_short := sum(run.cut_short for run in runs):
        yield cut_short_note(cut_short)


def _found(groups: Sequence[Group], runs: Sequence[RunData]) -> _Found:
    compared = compare(problems(groups))
    tuning = [group for group in groups if any(run.confirmed or not _is_grid(run) for run in group.runs)]
    if compared:  # its sections have what there is to say of look-ups
        tuning = [group for group in tuning if "optimizer" in group.runs[0].settings]
    told = [group for group in tuning if not compared or any(map(_confirms, group.runs))]
    searched = [group for group in tuning if not _is_grid(group.runs[0]) and "optimizer" in group.runs[0].settings]
    rows = [tuned(group) for group in told]
    return _Found(runs, searched, compared, rows, told, repeats_finals(grid_repeats(groups)))


def _sections(found: _Found) -> Iterator[Section]:
    if found.told:
        yield _tuned_section(found)
    if (section := tuner_section(found.searched)) is not None:
        yield section
    if found.searched:
        yield _importance_section(found.searched)
    yield from comparison_sections(found.compared)
    repeats = [row.repeats for row in found.repeats]
    if repeats:
        plots = [plot for quantity in QUANTITIES if (plot := trajectory_plot(repeats, quantity)) is not None]
        tables, data = (repeats_table(found.repeats),), (curves_data(repeats),)
        yield Section("After the last epoch", repeats_notes(repeats), tables, tuple(plots), data=data)
    if (plot := eigenvalue_plot(repeats)) is not None:
        yield Section("Curvature", eigenvalue_notes(repeats), plots=(plot,))
    yield Section("Runs", (), (_runs_table(found.runs),))


def _confirms(run: RunData) -> bool:
    return bool(run.confirmed or run.settings.get("confirm"))


def _is_grid(run: RunData) -> bool:
    return run.settings.get("tuner") == "grid"


def _tuned_section(found: _Found) -> Section:
    plots = [tuned_plot(found.tuned)] if any(row.default for row in found.tuned) else []
    if not found.compared and any(run.ok for group in found.told for run in group.runs):
        plots.append(comparison_plot({group.label: group.runs for group in found.told}, "evaluations", "test"))
    return Section("Tuned against default", tuned_notes(found.tuned), (tuned_table(found.tuned),), tuple(plots))


def _importance_section(groups: Sequence[Group]) -> Section:
    rows = group_importance(groups)
    if not any(row.found.is_trusted for row in rows):
        return Section("What matters", (untold_note(rows),))
    return Section("What matters", importance_notes(rows), (importance_table(rows),), data=(importance_data(rows),))


def _runs_table(runs: Sequence[RunData]) -> PageTable:
    shown = f"{regret_name([run.optimum_test_error for run in runs])} of the incumbent"
    partial = any(run.is_partial for run in runs)
    columns = (
        Column("run", "run", attrgetter("name")),
        Column(None, "seed", lambda run: run.settings.get("seed")),
        Column("answered", "answered", lambda run: len(run.told)),
        Column("failed", "failed", lambda run: len(run.told) - len(run.ok)),
        Column("predicted" if partial else None, "predicted"),
        Column("epochs", "epochs", lambda run: sum(e.charged_epochs for e in run.told)),
        Column("seconds", "seconds", _seconds, lambda seconds: f"{seconds:.0f}"),
        Column(shown, value=_incumbent_regret, show=number),
        Column(None, "incumbent_trial", _of_incumbent("trial.id")),
        Column(None, "incumbent_valid_error", _of_incumbent("valid_error")),
        Column(None, "incumbent_test_error", _of_incumbent("final_test_error")),
        Column(None, "optimum_test_error"),
        Column(
            "default over tuned",
            "default_over_tuned",
            lambda run: ratio(run, "test").value if run.confirmed else None,
            times,
        ),
    )
    return PageTable("Runs", columns, tuple(runs), folded=len(runs) > _MOST_RUNS, file="runs")


def _seconds(run: RunData) -> float:
    return max((e.told_s for e in run.told), default=0.0)


def _of_incumbent(name: str) -> Callable[[RunData], Any]:
    take = attrgetter(name)
    return lambda run: None if (best := run.incumbent) is None else take(best)


def _incumbent_regret(run: RunData) -> float | None:
    best = run.incumbent
    return None if best is None else regret(best.final_test_error, run.optimum_test_error)
