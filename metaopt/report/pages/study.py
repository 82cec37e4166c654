"""The page of a study: a README in Markdown, its tables as CSV, its figures as files. It reads journals only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl

from metaopt.core.errors import RunError
from metaopt.core.wording import counted
from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group, Repeats, grid_repeats, study_groups
from metaopt.report.data.load import RunData, load_run
from metaopt.report.data.regret import regret_name
from metaopt.report.data.trajectories import QUANTITIES
from metaopt.report.document.files import Names, differing_files, write_files
from metaopt.report.document.markdown import Part, Record, section
from metaopt.report.document.section import NONE, PageTable, number, times
from metaopt.report.figures.progress import comparison_plot
from metaopt.report.figures.study import eigenvalue_plot, trajectory_plot, tuned_plot
from metaopt.report.figures.style import RC
from metaopt.report.sections.headline import ratio
from metaopt.report.sections.importance import (
    group_importance,
    importance_notes,
    importance_records,
    importance_table,
    untold_note,
)
from metaopt.report.sections.parts import comparison_parts
from metaopt.report.sections.repeats import (
    curve_records,
    eigenvalue_notes,
    finals,
    finals_notes,
    finals_records,
    finals_table,
)
from metaopt.report.sections.run import FIRST_CELL_NOTE, cut_short_note
from metaopt.report.sections.tuned import tuned, tuned_notes, tuned_records, tuned_table
from metaopt.report.sections.tuner_ranks import tuner_part
from metaopt.report.stats.curves import regret
from metaopt.runs.draws import only_draws
from metaopt.runs.folder import RunFolder

PAGE = "README.md"
_MOST_RUNS = 100  # in a table for reading


@dataclass(frozen=True)
class StudyText:
    """What the file of a study says that no journal does.

    Attributes:
        title: Of the study.
        text: Markdown; may be empty.
        command: That makes the study, as it was called.
        runs: Names of all its runs, in order: folders in the study's folder.
        unfinished: Those that have not come to their end.
    """

    title: str
    text: str
    command: str
    runs: tuple[str, ...]
    unfinished: tuple[str, ...]


def write_study(study: StudyText, out: Path, journals: Path) -> Path:
    """Writes README, tables and figures into the folder of a study and returns the README.

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
    page = out / PAGE
    if page.is_file() and (lines := page.read_text(encoding="utf-8", errors="replace").splitlines()):
        study = replace(study, command=lines[0].strip("`"))
    return differing_files(out, render_study(study, journals))


def render_study(study: StudyText, journals: Path) -> dict[str, bytes]:
    """Returns every file by its path in the study's folder; the same for the same journals."""
    runs = [load_run(journals / name) for name in study.runs if RunFolder(journals / name).begun]
    if not runs:
        raise RunError(f"{journals} has no run of the study yet", "leave out --no-run or --check to run it")
    groups = study_groups(runs)
    files, names = dict[str, bytes](), Names()
    lines = [*_head(study), *_warnings(runs, groups)]
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        for part in _parts(groups, runs):
            lines += section(part, files, names)
    return {PAGE: ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8"), **files}


def _head(study: StudyText) -> Iterator[str]:
    yield from (f"`{study.command}`", "", f"# {study.title}", "")
    if study.text:
        yield from (study.text.strip(), "")
    if study.unfinished:
        names = ", ".join(study.unfinished)
        yield from (
            f"**Not complete**: {len(study.unfinished)} of {counted(len(study.runs), 'run')} not finished: {names}.",
            "",
        )


def _warnings(runs: Sequence[RunData], groups: Sequence[Group]) -> Iterator[str]:
    """Says what a reader must know of the runs before anything is read of them."""
    if any(run.looks_up and run.starts_at_default for run in runs):
        yield from (FIRST_CELL_NOTE, "")
    for group in groups:
        trials = [e.trial for run in group.runs for e in run.evaluations]
        if sentence := only_draws(group.runs[0].settings, trials):
            yield from (f"{group.label}: {sentence}", "")
    if cut_short := sum(run.cut_short for run in runs):
        yield from (cut_short_note(cut_short), "")


def _parts(groups: Sequence[Group], runs: Sequence[RunData]) -> Iterator[Part]:
    compared = problems(groups)
    tuning = [group for group in groups if any(run.confirmed or not _is_grid(run) for run in group.runs)]
    if compared:  # its sections have what there is to say of look-ups
        tuning = [group for group in tuning if "optimizer" in group.runs[0].settings]
    repeats = grid_repeats(groups)
    if told := [group for group in tuning if not compared or any(map(_confirms, group.runs))]:
        yield _tuned_part(told, with_curves=not compared)
    searched = [group for group in tuning if not _is_grid(group.runs[0]) and "optimizer" in group.runs[0].settings]
    if (part := tuner_part(searched)) is not None:
        yield part
    if searched:
        yield _importance_part(searched)
    yield from comparison_parts(compared)
    if repeats:
        yield _repeats_part(repeats)
    if (plot := eigenvalue_plot(repeats)) is not None:
        yield Part("Curvature", eigenvalue_notes(repeats), plots=(plot,))
    yield Part("Runs", (), (_runs_table(runs),), {"runs.csv": [_run_record(run) for run in runs]})


def _confirms(run: RunData) -> bool:
    return bool(run.confirmed or run.settings.get("confirm"))


def _is_grid(run: RunData) -> bool:
    return run.settings.get("tuner") == "grid"


def _tuned_part(groups: Sequence[Group], *, with_curves: bool) -> Part:
    rows = [tuned(group) for group in groups]
    plots = [tuned_plot(rows)] if any(row.default for row in rows) else []
    by_label = {group.label: group.runs for group in groups}
    if with_curves and any(run.ok for group in groups for run in group.runs):
        plots.append(comparison_plot(by_label, "evaluations", "test"))
    records = {"tuned.csv": tuned_records(rows)}
    return Part("Tuned against default", tuned_notes(rows), (tuned_table(rows),), records, tuple(plots))


def _importance_part(groups: Sequence[Group]) -> Part:
    rows = group_importance(groups)
    if not any(row.is_trusted for row in rows):
        return Part("What matters", (untold_note(rows),))
    records = {"importance.csv": importance_records(rows)}
    return Part("What matters", importance_notes(rows), (importance_table(rows),), records)


def _repeats_part(repeats: Sequence[Repeats]) -> Part:
    rows = finals(repeats)
    plots = [plot for quantity in QUANTITIES if (plot := trajectory_plot(repeats, quantity)) is not None]
    records = {"final.csv": finals_records(rows), "trajectories.csv": curve_records(repeats)}
    return Part("After the last epoch", finals_notes(repeats), (finals_table(rows),), records, tuple(plots))


def _runs_table(runs: Sequence[RunData]) -> PageTable:
    shown = f"{regret_name([run.optimum_test_error for run in runs])} of the incumbent"
    partial = any(run.is_partial for run in runs)
    counts = ("answered", "failed", *(("predicted",) if partial else ()))
    head = ("run", *counts, "epochs", "seconds", shown, "default over tuned")
    return PageTable("Runs", head, tuple(_run_row(run, partial) for run in runs), folded=len(runs) > _MOST_RUNS)


def _run_row(run: RunData, partial: bool) -> tuple[str, ...]:
    best = run.incumbent
    found = None if best is None else regret(best.final_test_error, run.optimum_test_error)
    return (
        f"[{run.name}]({run.name})",
        str(len(run.told)),
        str(len(run.told) - len(run.ok)),
        *((str(run.predicted),) if partial else ()),
        str(sum(e.charged_epochs for e in run.told)),
        f"{_seconds(run):.0f}",
        number(found),
        times(ratio(run, "test").value) if run.confirmed else NONE,
    )


def _seconds(run: RunData) -> float:
    return max((e.told_s for e in run.told), default=0.0)


def _run_record(run: RunData) -> Record:
    best = run.incumbent
    return {
        "run": run.name,
        "seed": run.settings.get("seed"),
        "answered": len(run.told),
        "failed": len(run.told) - len(run.ok),
        "predicted": run.predicted,
        "epochs": sum(e.charged_epochs for e in run.told),
        "seconds": _seconds(run),
        "incumbent_trial": best.trial.id if best else None,
        "incumbent_valid_error": best.valid_error if best else None,
        "incumbent_test_error": best.final_test_error if best else None,
        "optimum_test_error": run.optimum_test_error,
        "default_over_tuned": ratio(run, "test").value if run.confirmed else None,
    }
