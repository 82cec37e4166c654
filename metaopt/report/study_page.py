"""The page of a study: a README in Markdown, its tables as CSV, its figures as files. It reads journals only."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import matplotlib as mpl

from metaopt.errors import RunError
from metaopt.report.curves import incumbent
from metaopt.report.figures import comparison_plot
from metaopt.report.files import differing_files, write_files
from metaopt.report.headline import ratio
from metaopt.report.layout import NONE, Table, number, times
from metaopt.report.load import RunData, load_run
from metaopt.report.study_curves import QUANTITIES
from metaopt.report.study_figures import eigenvalue_plot, trajectory_plot, tuned_plot
from metaopt.report.study_groups import Group, Repeats, grid_repeats, study_groups
from metaopt.report.study_regret import regret_name
from metaopt.report.study_repeats import (
    curve_records,
    eigenvalue_notes,
    finals,
    finals_notes,
    finals_records,
    finals_table,
)
from metaopt.report.study_tuned import tuned, tuned_notes, tuned_records, tuned_table
from metaopt.report.style import RC, Plot, render
from metaopt.run_folder import RunFolder

PAGE = "README.md"


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


@dataclass(frozen=True)
class _Part:
    """A section: remarks, a table with the CSV files it is in, figures."""

    title: str
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    records: dict[str, list[dict[str, object]]]
    plots: tuple[Plot, ...]


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
    """Renders a study again and compares it byte by byte with what is in its folder; arguments as for writing it.

    The command in the first line is taken as it stands there: it says from where it was called, not what it found.

    Returns:
        The files that differ or are missing; empty if the study says what its journals say.
    """
    page = out / PAGE
    if page.is_file() and (lines := page.read_text(encoding="utf-8", errors="replace").splitlines()):
        study = replace(study, command=lines[0].strip("`"))
    return differing_files(out, render_study(study, journals))


def render_study(study: StudyText, journals: Path) -> dict[str, bytes]:
    """Returns every file by its path in the study's folder; the same bytes for the same journals."""
    runs = [load_run(journals / name) for name in study.runs if RunFolder(journals / name).begun]
    if not runs:
        raise RunError(f"{journals} has no run of the study yet", "leave out --no-run or --check to run it")
    groups = study_groups(runs)
    files: dict[str, bytes] = {}
    lines = list(_head(study))
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        for part in _parts(groups, runs):
            lines += _section(part, files)
    return {PAGE: ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8"), **files}


def _head(study: StudyText) -> Iterator[str]:
    yield from (f"`{study.command}`", "", f"# {study.title}", "")
    if study.text:
        yield from (study.text.strip(), "")
    if study.unfinished:
        names = ", ".join(study.unfinished)
        yield from (
            f"**Not complete**: {len(study.unfinished)} of {len(study.runs)} runs are not finished: {names}.",
            "",
        )


def _parts(groups: Sequence[Group], runs: Sequence[RunData]) -> Iterator[_Part]:
    tuning = [group for group in groups if any(run.confirmed or not _is_grid(run) for run in group.runs)]
    repeats = grid_repeats(groups)
    if tuning:
        yield _tuned_part(tuning)
    if repeats:
        yield _repeats_part(repeats)
    if (plot := eigenvalue_plot(repeats)) is not None:
        yield _Part("Curvature", eigenvalue_notes(repeats), (), {}, (plot,))
    yield _Part("Runs", (), (_runs_table(runs),), {}, ())


def _is_grid(run: RunData) -> bool:
    return run.settings.get("tuner") == "grid"


def _tuned_part(groups: Sequence[Group]) -> _Part:
    rows = [tuned(group) for group in groups]
    plots = [tuned_plot(rows)] if any(row.default for row in rows) else []
    by_label = {group.label: group.runs for group in groups}
    if any(run.ok for group in groups for run in group.runs):
        plots.append(comparison_plot(by_label, "evaluations", "test"))
    records = {"tuned.csv": tuned_records(rows)}
    return _Part("Tuned against default", tuned_notes(rows), (tuned_table(rows),), records, tuple(plots))


def _repeats_part(repeats: Sequence[Repeats]) -> _Part:
    rows = finals(repeats)
    plots = [plot for quantity in QUANTITIES if (plot := trajectory_plot(repeats, quantity)) is not None]
    records = {"final.csv": finals_records(rows), "trajectories.csv": curve_records(repeats)}
    return _Part("After the last epoch", finals_notes(repeats), (finals_table(rows),), records, tuple(plots))


def _runs_table(runs: Sequence[RunData]) -> Table:
    shown = f"{regret_name([run.optimum_test_error for run in runs])} of the incumbent"
    partial = any(run.is_partial for run in runs)
    counts = ("answered", "failed", *(("predicted",) if partial else ()))
    head = ("run", *counts, "epochs", "seconds", shown, "default over tuned")
    return Table("Runs", head, tuple(_run_row(run, partial) for run in runs))


def _run_row(run: RunData, partial: bool) -> tuple[str, ...]:
    best = incumbent(run.ok)
    regret = None if best is None else best.test_error - (run.optimum_test_error or 0.0)
    return (
        f"[{run.name}]({run.name})",
        str(len(run.told)),
        str(len(run.told) - len(run.ok)),
        *((str(run.predicted),) if partial else ()),
        str(sum(e.charged_epochs for e in run.told)),
        f"{max((e.told_s for e in run.told), default=0.0):.0f}",
        number(regret),
        times(ratio(run, "test").value) if run.confirmed else NONE,
    )


def _section(part: _Part, files: dict[str, bytes]) -> Iterator[str]:
    """Returns the Markdown of a section and adds its files."""
    yield from (f"## {part.title}", "")
    for table in part.tables:
        yield from (*_markdown(table), "")
    for note in part.notes:
        yield from (note, "")
    for name, records in part.records.items():
        files[name] = _csv(records)
    if part.records:
        yield from (f"In full: {', '.join(f'[{name}]({name})' for name in part.records)}.", "")
    for picture in map(render, part.plots):
        files[f"figures/{picture.name}.svg"] = picture.svg
        files[f"figures/{picture.name}.png"] = picture.png
        yield from (f"![{picture.title}](figures/{picture.name}.svg)", "", picture.caption, "")


def _markdown(table: Table) -> Iterator[str]:
    yield _row(table.head)
    yield _row(column for column, _ in zip(cycle(["---"]), table.head, strict=False))
    yield from map(_row, table.rows)


def _row(cells: Iterator[str] | Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _csv(records: Sequence[dict[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: _plain(value) for name, value in record.items()})
    return text.getvalue().encode("utf-8")


def _plain(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
