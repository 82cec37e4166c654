"""Writes the report: a page that needs nothing but itself, its figures as files, and all trials as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from markupsafe import Markup

from metaopt.core.errors import RunError
from metaopt.report.data.grouping import problem
from metaopt.report.data.load import RunData, load_runs
from metaopt.report.document.files import Names, differing_files, write_files
from metaopt.report.document.html import PAGE, PageView, render_page, render_part
from metaopt.report.export.table import to_csv, to_parquet, trial_table
from metaopt.report.figures.style import RC, slug
from metaopt.report.pages.several import comparison
from metaopt.report.sections.headline import headline
from metaopt.report.sections.run import facts, sections, state

_BESIDE = Markup(
    "Figures lie beside this page in <code>figures/</code>, all trials in <code>trials.csv</code> and "
    "<code>trials.parquet</code>."
)


def write_report(run_folders: Sequence[Path], out: Path | None = None) -> Path:
    """Writes the report of one or several runs and returns the page.

    Args:
        run_folders: Folders that hold a ``journal.jsonl``.
        out: Folder to write into, created if missing; by default ``report`` in the folder of the single run.

    Raises:
        RunError: if a folder is no run folder, or ``out`` cannot be written, or is missing for several runs.
        JournalError: if a journal is damaged.
    """
    place = _place(run_folders, out)
    write_files(place, render_report(run_folders))
    return place / PAGE


def check_report(run_folders: Sequence[Path], out: Path | None = None) -> list[str]:
    """Renders a report again and compares it with the one that was written, numbers as numbers.

    Returns:
        The files that differ, are missing or left over; empty if the report says what the journals say.
    """
    place = _place(run_folders, out)
    if not (place / PAGE).is_file():
        raise RunError(f"there is no report to check in {place}", "write it first: metaopt report RUN")
    return differing_files(place, render_report(run_folders))


def _place(run_folders: Sequence[Path], out: Path | None) -> Path:
    if out is not None:
        return out
    if len(run_folders) != 1:
        raise RunError(
            f"a report of {len(run_folders)} runs has no folder of its own",
            "name one: metaopt report RUN RUN --out FOLDER",
        )
    return run_folders[0] / "report"


def render_report(run_folders: Sequence[Path]) -> dict[str, bytes]:
    """Returns every file of the report by its path in the report's folder; the same for the same journals.

    Bytes are the same on one machine; on another one numbers may differ in digits that mean nothing.
    """
    runs = load_runs(run_folders)
    files: dict[str, bytes] = {}
    names, prefixes = Names(), Names()
    for place in range(len(runs)):
        names.take(f"run-{place + 1}")  # where the page has each of several runs
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        compared = [render_part(section, "", files, names) for section in (comparison(runs) if len(runs) > 1 else ())]
        views = [
            _view(run, "" if len(runs) == 1 else f"{prefixes.take(slug(run.name))}-", files, names) for run in runs
        ]
    table = trial_table(runs)
    files["trials.csv"] = to_csv(table)
    files["trials.parquet"] = to_parquet(table)
    return {PAGE: render_page(views, compared, _BESIDE), **files}


def _view(run: RunData, prefix: str, files: dict[str, bytes], names: Names) -> PageView:
    settings = run.settings
    title = (
        f"{settings.get('optimizer') or 'objective'} on {problem(run)}, tuned by {settings.get('tuner') or 'a tuner'}"
    )
    parts = [render_part(section, prefix, files, names) for section in sections(run)]
    return PageView(run.name, title, headline(run), facts(run), state(run), parts)
