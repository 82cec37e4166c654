"""The best cell of each group, by validation error, drawn once where several groups found the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metaopt.core.wording import counted
from metaopt.report.data.contestants import Contestant, Problem
from metaopt.report.data.load import Evaluation
from metaopt.report.document.markdown import Record
from metaopt.report.document.section import PageTable, number
from metaopt.report.figures.cells import cell_plot
from metaopt.report.figures.style import Plot
from metaopt.report.stats.curves import best_cell, regret

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


def cells_table(title: str, found: Sequence[Best]) -> PageTable:
    """Returns the table for reading."""
    head = ("", "validation error", "test error", "test regret", "found by", "runs with this cell", "cell")
    return PageTable(title, head, tuple(_text(one) for one in found))


def _text(one: Best) -> tuple[str, ...]:
    e = one.evaluation
    found = _regret(one)
    return (
        one.contestant.label,
        number(e.valid_error) + (" (predicted)" if e.info.get("predicted") else ""),
        number(e.final_test_error),
        number(found),
        f"{one.run}, trial {e.trial.id}, {counted(e.trial.epochs, 'epoch')}",
        f"{one.runs} of {len(one.contestant.data)}",
        str(e.info["cell"]),
    )


def _regret(one: Best) -> float | None:
    optimum = one.contestant.data[0].optimum_test_error
    return None if optimum is None else regret(one.evaluation.final_test_error, optimum)


def cells_records(found: Sequence[Best]) -> list[Record]:
    """Returns the same as values."""
    return [
        {
            "group": one.contestant.label,
            "run": one.run,
            "trial_id": one.evaluation.trial.id,
            "epochs": one.evaluation.trial.epochs,
            "valid_error": one.evaluation.valid_error,
            "test_error": one.evaluation.final_test_error,
            "test_regret": _regret(one),
            "predicted": bool(one.evaluation.info.get("predicted")),
            "cell": one.evaluation.info["cell"],
            "cell_hash": one.evaluation.info.get("cell_hash"),
            "runs_with_this_cell": one.runs,
            "runs": len(one.contestant.data),
        }
        for one in found
    ]


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
