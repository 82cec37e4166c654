"""The report of one run: a page that needs nothing but itself, its figures as files, and all trials as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from metaopt.core.errors import RunError
from metaopt.report.data.inputs import run_importance
from metaopt.report.data.load import RunData, load_runs
from metaopt.report.document.files import differing_files, write_files
from metaopt.report.document.html import PAGE, render_html
from metaopt.report.document.page import Page, render_sections
from metaopt.report.export.table import to_csv, to_parquet, trial_table
from metaopt.report.figures.style import drawing
from metaopt.report.pages.study import StudyText, study_page
from metaopt.report.sections.headline import headline
from metaopt.report.sections.run import facts, run_sections, state
from metaopt.report.sections.summary import run_summary, run_title

_BESIDE = "Figures are beside this page in `figures/`, all trials in `trials.csv` and `trials.parquet`."


def write_report(run_folders: Sequence[Path], out: Path | None = None) -> Path:
    """Writes the report of one run, or of several as a study without a name, and returns the page.

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
    page = _run_page(runs[0], files) if len(runs) == 1 else study_page(_unnamed(runs), runs, files)
    table = trial_table(runs)
    trials: Mapping[str, bytes] = {"trials.csv": to_csv(table), "trials.parquet": to_parquet(table)}
    return {PAGE: render_html(page), **files, **trials}


def _unnamed(runs: Sequence[RunData]) -> StudyText:
    names = tuple(run.name for run in runs)
    return StudyText(f"{len(runs)} runs compared", "", "", names, ())


def _run_page(run: RunData, files: dict[str, bytes]) -> Page:
    importance = run_importance(run)
    with drawing():
        sections = render_sections(run_sections(run, importance), files, latex=False)
    return Page(
        kind="run",
        title=run_title(run),
        name=run.name,
        summary=tuple(run_summary(run, importance)),
        sections=sections,
        warnings=state(run),
        headline=headline(run),
        facts=facts(run),
        beside=_BESIDE,
    )
