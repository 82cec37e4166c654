"""Writes the report: a page that needs nothing but itself, its figures as files, and all trials as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metaopt.errors import RunError
from metaopt.report.compare import comparison, problem
from metaopt.report.export import to_csv, to_parquet, trial_table
from metaopt.report.files import differing_files, write_files
from metaopt.report.headline import Headline, headline
from metaopt.report.layout import Section, Table
from metaopt.report.load import RunData, load_runs
from metaopt.report.sections import facts, sections, state
from metaopt.report.style import PALETTE, RC, Picture, render, slug

PAGE = "report.html"


@dataclass(frozen=True)
class _Part:
    """A section whose figures are rendered; ``name`` is unique on the page."""

    name: str
    title: str
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class _RunView:
    """What the template shows of a run."""

    name: str
    title: str
    headline: Headline
    facts: list[tuple[str, str]]
    notes: tuple[str, ...]
    parts: list[_Part]


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
    """Renders a report again and compares it byte by byte with the one that was written.

    Returns:
        The files that differ or are missing; empty if the report says what the journals say.
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
    """Returns every file of the report by its path in the report's folder; the same bytes for the same journals."""
    runs = load_runs(run_folders)
    files: dict[str, bytes] = {}
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        compared = [_part(section, "", files) for section in (comparison(runs) if len(runs) > 1 else ())]
        views = [_view(run, "" if len(runs) == 1 else f"{slug(run.name)}-", files) for run in runs]
    table = trial_table(runs)
    files["trials.csv"] = to_csv(table)
    files["trials.parquet"] = to_parquet(table)
    return {PAGE: _page(views, compared).encode("utf-8"), **files}


def _view(run: RunData, prefix: str, files: dict[str, bytes]) -> _RunView:
    settings = run.settings
    title = (
        f"{settings.get('optimizer') or 'objective'} on {problem(run)}, tuned by {settings.get('tuner') or 'a tuner'}"
    )
    parts = [_part(section, prefix, files) for section in sections(run)]
    return _RunView(run.name, title, headline(run), facts(run), state(run), parts)


def _part(section: Section, prefix: str, files: dict[str, bytes]) -> _Part:
    pictures = []
    for plot in section.plots:
        picture = render(plot, prefix)
        files[f"figures/{picture.name}.svg"] = picture.svg
        files[f"figures/{picture.name}.png"] = picture.png
        pictures.append(picture)
    return _Part(f"{prefix}{section.name}", section.title, section.notes, tuple(pictures), section.tables)


def _page(views: Sequence[_RunView], compared: Sequence[_Part]) -> str:
    environment = Environment(
        loader=PackageLoader("metaopt.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["drawing"] = Markup
    colours = {
        scheme: "; ".join(f"--{name}: {pair[index]}" for name, pair in PALETTE.items())
        for index, scheme in enumerate(("light", "dark"))
    }
    return environment.get_template("report.html.j2").render(runs=views, compared=compared, colours=colours)
