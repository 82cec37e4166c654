"""The page of a single search: what its cell was worth epoch by epoch, from its record and its trajectory alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any

from metaopt.cells.graph import CellGraph
from metaopt.core.wording import counted
from metaopt.report.document.files import write_files
from metaopt.report.document.html import PAGE, render_html
from metaopt.report.document.page import Page, render_sections
from metaopt.report.document.section import Column, Headline, PageTable, Section, cells_table, number, value_text
from metaopt.report.figures.cells import cell_plot
from metaopt.report.figures.searches import epochs_plot
from metaopt.report.figures.style import Plot, drawing
from metaopt.report.sections.run import provenance

_BESIDE = "Figures are beside this page in `figures/`, all epochs in `../trajectory.json`."
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
    with drawing():
        sections = render_sections((_inside(record, trajectory), provenance(name, record)), files, latex=False)
    page = Page(
        kind="search",
        title=f"{settings['optimizer']} on {settings['benchmark']}, cell space {settings['cell_space']}: one search",
        name=name,
        summary=tuple(_summary(record, trajectory)),
        sections=sections,
        warnings=tuple(_notes(record, trajectory)),
        headline=_headline(record, trajectory),
        facts=_facts(record, trajectory),
        beside=_BESIDE,
    )
    return {PAGE: render_html(page), **files}


def _summary(record: Mapping[str, Any], trajectory: EpochColumns) -> Iterator[str]:
    """Yields what was searched, what came of it, and how its cell developed."""
    settings, result, epochs = record["run"], record["result"], len(trajectory["epoch"])
    yield (
        f"One search by {settings['optimizer']} with seed {settings['seed']}: {counted(epochs, 'epoch')} in "
        f"{counted(round(result['cost_s']), 'second')}."
    )
    errors = [(error, epoch) for epoch, error in enumerate(trajectory["valid_error"], start=1) if error is not None]
    if errors:
        best, when = min(errors)
        yield (
            f"Its last cell has a validation error of {number(trajectory['valid_error'][-1])}; the lowest of any epoch "
            f"was {number(best)}, after {counted(when, 'epoch')}."
        )
    if trajectory["one_shot_error"][-1] is not None:
        yield (
            f"The one-shot model itself has a validation error of {number(trajectory['one_shot_error'][-1])}; the two "
            "numbers are of different networks."
        )
    yield "One seed shows nothing statistically significant: `metaopt tune` repeats searches, `metaopt compare` runs."


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


def _facts(record: Mapping[str, Any], trajectory: EpochColumns) -> tuple[tuple[str, str], ...]:
    result, settings = record["result"], record["run"]
    trained, asked = len(trajectory["epoch"]), settings["epochs"]
    as_asked = trained == asked or (trained < asked and result["status"] != "ok")
    return (
        ("epochs trained", f"{trained} of {asked}" if as_asked else f"{trained} (asked: {asked})"),
        ("seconds", f"{result['cost_s']:.1f}"),
        ("validation error", number(trajectory["valid_error"][-1])),
        ("test error", number(trajectory["test_error"][-1])),
        ("one-shot error", number(trajectory["one_shot_error"][-1])),
        ("seed", str(settings["seed"])),
    )


def _inside(record: Mapping[str, Any], trajectory: EpochColumns) -> Section:
    objective = record["objective"]
    plot = epochs_plot(trajectory, (objective["optimum_valid_error"], objective["optimum_test_error"]))
    config = cells_table("Hyperparameters", ("name", "value"), sorted(record["run"]["config"].items()))
    tables = (config, _epochs(trajectory))
    return Section("Inside the search", plots=(plot, *_cell(trajectory)), tables=tables, name="search")


def _epochs(trajectory: EpochColumns) -> PageTable:
    columns = (
        Column(label, value=itemgetter(name), show=number if name.endswith("error") else value_text)
        for name, label in _COLUMNS.items()
        if name in trajectory
    )
    rows = (dict(zip(trajectory, row, strict=True)) for row in zip(*trajectory.values(), strict=False))
    return PageTable("All epochs", tuple(columns), tuple(rows), folded=True)


def _cell(trajectory: EpochColumns) -> list[Plot]:
    """Draws the cell of the last epoch, if one was picked there."""
    if trajectory["cell"][-1] is None:
        return []
    graphs = [key and CellGraph.from_key(key) for key in reversed(trajectory["cell"])]
    same = len(list(takewhile(lambda graph: graph is not None and graph.hash == graphs[0].hash, graphs)))
    when = f"last {same} epochs" if same > 1 else "last epoch"
    caption = f"Pick of the {when}. Hash {graphs[0].hash}."
    return [cell_plot(graphs[0], "cell", "The cell", caption)]
