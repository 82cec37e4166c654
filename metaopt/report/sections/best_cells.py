"""The best cell of each group, by validation error, drawn once where several groups found the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from metaopt.core.wording import counted
from metaopt.report.data.contestants import Contestant, Problem
from metaopt.report.data.incumbents import best_cell
from metaopt.report.data.load import Evaluation
from metaopt.report.document.section import Column, PageTable, number
from metaopt.report.figures.cells import cell_plot
from metaopt.report.figures.style import Plot
from metaopt.report.stats.curves import regret

_MOST = 6  # cells that are drawn; a page of all would be one of pictures


@dataclass(frozen=True)
class Best:
    """The best cell of a group.

    Attributes:
        contestant: The group.
        run: Name of the run that found it first, in the order of the study.
        evaluation: Of the lowest validation error.
        runs: How many runs of the group end with the same cell.
    """

    contestant: Contestant
    run: str
    evaluation: Evaluation
    runs: int


def best_cells(problem: Problem) -> list[Best]:
    """Returns the best cell of every group whose trials name cells."""
    found = []
    for one in problem.contestants:
        ends = [(run.name, best) for run in one.data if (best := best_cell(run.ok)) and best.info.get("cell")]
        if ends:
            name, best = min(ends, key=lambda end: end[1].valid_error)
            same = sum(end.info["cell"] == best.info["cell"] for _, end in ends)
            found.append(Best(one, name, best, same))
    return found


def best_cells_table(title: str, file: str, found: Sequence[Best]) -> PageTable:
    """Returns the best cell of each group."""
    columns = (
        Column("", "group", attrgetter("contestant.label")),
        Column(None, "run"),
        Column(None, "trial_id", attrgetter("evaluation.trial.id")),
        Column(None, "epochs", attrgetter("evaluation.trial.epochs")),
        Column(None, "valid_error", attrgetter("evaluation.valid_error")),
        Column("validation error", value=_valid_error),
        Column("test error", "test_error", attrgetter("evaluation.final_test_error"), number),
        Column("test regret", "test_regret", _regret, number),
        Column(None, "predicted", lambda one: bool(one.evaluation.info.get("predicted"))),
        Column("found by", value=_found_by),
        Column("runs with this cell", value=lambda one: f"{one.runs} of {len(one.contestant.data)}"),
        Column("cell", "cell", lambda one: one.evaluation.info["cell"]),
        Column(None, "cell_hash", lambda one: one.evaluation.info.get("cell_hash")),
        Column(None, "runs_with_this_cell", attrgetter("runs")),
        Column(None, "runs", lambda one: len(one.contestant.data)),
    )
    return PageTable(title, columns, tuple(found), file=file)


def _valid_error(one: Best) -> str:
    return number(one.evaluation.valid_error) + (" (predicted)" if one.evaluation.info.get("predicted") else "")


def _found_by(one: Best) -> str:
    return f"{one.run}, trial {one.evaluation.trial.id}, {counted(one.evaluation.trial.epochs, 'epoch')}"


def _regret(one: Best) -> float | None:
    optimum = one.contestant.data[0].optimum_test_error
    return None if optimum is None else regret(one.evaluation.final_test_error, optimum)


def cells_plots(found: Sequence[Best], prefix: str) -> tuple[Plot, ...]:
    """Draws each cell once, those of the lowest validation error first, six at most."""
    groups: dict[str, list[Best]] = {}
    for one in sorted(found, key=lambda best: best.evaluation.valid_error):
        groups.setdefault(str(one.evaluation.info["cell"]), []).append(one)
    plots = []
    for place, some in enumerate(list(groups.values())[:_MOST], start=1):
        if (graph := some[0].evaluation.graph) is None:
            continue
        names = ", ".join(one.contestant.label for one in some)
        caption = f"Best cell of {names}: validation error {some[0].evaluation.valid_error:.4f}."
        plots.append(cell_plot(graph, f"{prefix}cell-{place}", f"Best cell of {names}", caption))
    return tuple(replace(plot, title=plot.title[:120]) for plot in plots)


def cells_notes(found: Sequence[Best]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    distinct = len({one.evaluation.info["cell"] for one in found})
    drawn = "" if distinct <= _MOST else f" Drawn are the {_MOST} best of {distinct} different ones."
    return (
        "The cell of the lowest validation error in all runs of a group, at whatever epochs: the best of many, so its "
        f"validation error flatters it. Its test error and regret are those after all epochs.{drawn}",
    )
