"""The page of a single search: what its cell was worth epoch by epoch, from its record and its trajectory alone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import matplotlib as mpl
from markupsafe import Markup

from metaopt.cells.graph import CellGraph
from metaopt.core.wording import counted
from metaopt.report.document.files import Names, write_files
from metaopt.report.document.html import PAGE, PageView, render_page, render_part
from metaopt.report.document.section import PageTable, Section, number, value_text
from metaopt.report.figures.cells import cell_plot
from metaopt.report.figures.searches import epochs_plot
from metaopt.report.figures.style import RC, Plot
from metaopt.report.sections.headline import Headline
from metaopt.report.sections.run import provenance

_BESIDE = Markup(
    "Figures lie beside this page in <code>figures/</code>, all epochs in <code>../trajectory.json</code>."
)
_ENDINGS = {"ok": ("open", "finished"), "stopped": ("inconclusive", "interrupted"), "crashed": ("worse", "diverged")}
_COLUMNS = {
    "epoch": "epoch",
    "train_loss": "train loss",
    "one_shot_error": "one-shot error",
    "valid_error": "validation error",
    "test_error": "test error",
    "eigenvalue": "eigenvalue",
    "cell": "cell",
    "note": "note",
}

EpochColumns = Mapping[str, list[Any]]


def write_search(record: Mapping[str, Any], trajectory: EpochColumns, out: Path) -> Path:
    """Writes the page and its figures into a folder and returns the page.

    Args:
        record: Of the search, with its result.
        trajectory: Columns with one value per epoch, at least one epoch.
        out: Folder, created if missing.

    Raises:
        RunError: if the folder cannot be written to.
    """
    write_files(out, render_search(record, trajectory, out.resolve().parent.name))
    return out / PAGE


def render_search(record: Mapping[str, Any], trajectory: EpochColumns, name: str) -> dict[str, bytes]:
    """Returns every file by its path in the page's folder; the same bytes for the same search of that ``name``."""
    settings = record["run"]
    files: dict[str, bytes] = {}
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        names = Names()
        parts = [
            render_part(section, "", files, names)
            for section in (_inside(record, trajectory), provenance(name, record))
        ]
    title = f"{settings['optimizer']} on {settings['benchmark']}, cell space {settings['cell_space']}: one search"
    view = PageView(
        name, title, _headline(record, trajectory), _facts(record, trajectory), _notes(record, trajectory), parts
    )
    return {PAGE: render_page([view], (), _BESIDE), **files}


def _notes(record: Mapping[str, Any], trajectory: EpochColumns) -> list[str]:
    """Says how the search ended if it was cut short, and what happened in single epochs."""
    reason = record["result"]["reason"]
    happened = zip(trajectory["epoch"], trajectory.get("note", ()), strict=False)
    return [
        *([f"The search ended early: {reason}."] if reason else []),
        *(f"Epoch {epoch}: {note}." for epoch, note in happened if note),
    ]


def _regret(record: Mapping[str, Any], trajectory: EpochColumns, part: str) -> float | None:
    """Returns the regret of the last epoch; None where no cell was picked."""
    error = trajectory[f"{part}_error"][-1]
    return None if error is None else error - record["objective"][f"optimum_{part}_error"]


def _headline(record: Mapping[str, Any], trajectory: EpochColumns) -> Headline:
    tone, badge = _ENDINGS[record["result"]["status"]]
    cells, test = record["objective"]["table"]["cells"], number(_regret(record, trajectory, "test"))
    place = (
        f"By validation error the cell has rank {record['rank']:,} of the {cells:,} in the table; its"
        if record["rank"]
        else "The search did not come to its end: this is the cell that it would have picked by then. Its"
    )
    return Headline(
        tone,
        number(_regret(record, trajectory, "valid")),
        f"validation regret of the cell after {counted(len(trajectory['epoch']), 'epoch')}",
        f"{place} test regret is {test}. One search with one seed: with another the cell may be worth more or less.",
        badge,
    )


def _facts(record: Mapping[str, Any], trajectory: EpochColumns) -> list[tuple[str, str]]:
    result, settings = record["result"], record["run"]
    trained, asked = len(trajectory["epoch"]), settings["epochs"]
    as_asked = trained == asked or (trained < asked and result["status"] != "ok")
    return [
        ("epochs trained", f"{trained} of {asked}" if as_asked else f"{trained} (asked: {asked})"),
        ("seconds", f"{result['cost_s']:.1f}"),
        ("validation error", number(trajectory["valid_error"][-1])),
        ("test error", number(trajectory["test_error"][-1])),
        ("one-shot error", number(trajectory["one_shot_error"][-1])),
        ("seed", str(settings["seed"])),
    ]


def _inside(record: Mapping[str, Any], trajectory: EpochColumns) -> Section:
    objective = record["objective"]
    plot = epochs_plot(trajectory, (objective["optimum_valid_error"], objective["optimum_test_error"]))
    config = sorted(record["run"]["config"].items())
    rows = tuple((name, value_text(value)) for name, value in config)
    tables = (PageTable("Hyperparameters", ("name", "value"), rows), _epochs(trajectory))
    return Section("search", "Inside the search", plots=(plot, *_cell(trajectory)), tables=tables)


def _epochs(trajectory: EpochColumns) -> PageTable:
    shown = {name: label for name, label in _COLUMNS.items() if name in trajectory}
    columns = [[number(v) if name.endswith("error") else value_text(v) for v in trajectory[name]] for name in shown]
    return PageTable("All epochs", tuple(shown.values()), tuple(zip(*columns, strict=True)), folded=True)


def _cell(trajectory: EpochColumns) -> list[Plot]:
    """Draws the cell of the last epoch, if one was picked there."""
    if trajectory["cell"][-1] is None:
        return []
    graphs = [key and CellGraph.from_key(key) for key in reversed(trajectory["cell"])]
    same = len(list(takewhile(lambda graph: graph is not None and graph.hash == graphs[0].hash, graphs)))
    when = f"last {same} epochs" if same > 1 else "last epoch"
    caption = f"Pick of the {when}. Hash {graphs[0].hash}."
    return [cell_plot(graphs[0], "cell", "The cell", caption)]
