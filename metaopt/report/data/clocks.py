"""What a curve is drawn over: evaluations, epochs or seconds. Budgets of different kinds are never put on one axis.

An epoch of a supernet is not one of a single cell, and a second of a search on this machine is not one of a training
that a table has. So groups that search and groups that look up share the clock of evaluations only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.contestants import Contestant, Problem, RunCurve
from metaopt.report.data.load import RunData
from metaopt.report.stats.curves import step_values

_PLACES = 120  # of a grid: about two per pixel of a band are not seen
_LOG_FROM = 20.0  # ratio of the ends of an axis above which its beginning could not be seen on a linear one


@dataclass(frozen=True)
class Clock:
    """A way to measure what a run has used.

    Attributes:
        name: As part of a file's name.
        field: Of :class:`metaopt.report.stats.curves.Anytime`.
        label: On an axis.
        looks_up: Which kind of groups it measures; None: both.
    """

    name: str
    field: str
    label: str
    looks_up: bool | None


CLOCKS = (
    Clock("evaluations", "evaluations", "evaluations", None),
    Clock("search-epochs", "epochs", "epochs of supernets", False),
    Clock("search-seconds", "seconds", "seconds of the run", False),
    Clock("table-epochs", "epochs", "epochs of single cells, as the table has them", True),
    Clock("table-seconds", "seconds", "seconds of training, as the table has them", True),
)


@dataclass(frozen=True)
class View:
    """The contestants of a problem that a clock measures alike.

    Attributes:
        clock: The clock.
        contestants: At least two.
        budget: Where the first of their runs ends: up to there all can be compared.
        shortest: Name of that run.
    """

    clock: Clock
    contestants: tuple[Contestant, ...]
    budget: float
    shortest: str


def views(problem: Problem) -> list[View]:
    """Returns the views of a problem; a clock that is evaluations times a constant for all runs is left out."""
    found = []
    for clock in CLOCKS:
        some = tuple(one for one in problem.contestants if clock.looks_up in (None, one.looks_up))
        if len(some) < 2 or (clock.field == "epochs" and _is_evaluations_scaled(some)):
            continue
        ends = {run.name: end(run, clock) for one in some for run in one.runs}
        shortest = min(ends, key=ends.__getitem__)
        if ends[shortest] > 0:
            found.append(View(clock, some, ends[shortest], shortest))
    return found


def main_view(problem: Problem, found: Sequence[View]) -> View:
    """Returns the view on whose budget groups are tested: the budget that the study gave, where it gave all the same.

    Args:
        problem: Its runs' settings say what they were given.
        found: Its views, of which the first is that of evaluations.
    """
    runs = [run for one in problem.contestants for run in one.data]
    for name, field in (("budget", "evaluations"), ("budget_epochs", "epochs"), ("budget_seconds", "seconds")):
        if all(run.settings.get(name) for run in runs):
            whole = [view for view in found if view.clock.field == field and _is_whole(view, problem)]
            return whole[0] if whole else found[0]
    return found[0]


def _is_whole(view: View, problem: Problem) -> bool:
    return len(view.contestants) == len(problem.contestants)


def _is_evaluations_scaled(contestants: Sequence[Contestant]) -> bool:
    steps = [np.unique(run.curve.epochs / run.curve.evaluations) for one in contestants for run in one.runs]
    return len(np.unique(np.concatenate(steps))) == 1


def end(run: RunCurve, clock: Clock) -> float:
    """Returns what a run had used when its last answer came."""
    return float(getattr(run.curve, clock.field)[-1])


def regrets(contestant: Contestant, clock: Clock, grid: Floats) -> Floats:
    """Returns the test regret of each run's incumbent, (runs, places), NaN before it has one and after the run's end.

    Args:
        contestant: Whose runs.
        clock: What ``grid`` is in.
        grid: (places,) ascending.
    """
    rows = []
    for run in contestant.runs:
        values = step_values(getattr(run.curve, clock.field), run.curve.test, grid)
        rows.append(np.where(grid > end(run, clock), np.nan, values))
    return np.array(rows).reshape(len(rows), len(grid))


def at_budget(contestant: Contestant, view: View) -> Floats:
    """Returns the test regret of each run at the common budget, (runs,), NaN for a run without a cell until then."""
    return regrets(contestant, view.clock, np.array([view.budget]))[:, 0]


def grid(view: View) -> Floats:
    """Returns places from the first incumbent to the last end, even on a logarithmic axis, with all ends among them."""
    starts = [_start(run, view.clock) for one in view.contestants for run in one.runs]
    ends = [min(end(run, view.clock) for run in one.runs) for one in view.contestants]
    low, high = min(starts), max(ends)
    places = np.array([low, *_between(low, high, view.clock)]) if 0 < low < high else np.array([high])
    return np.unique(np.concatenate([places, ends, [view.budget]]))


def _between(low: float, high: float, clock: Clock) -> Floats:
    """Returns places in fewer digits than those in which processors differ: a study is made again on any of them."""
    places = np.geomspace(low, high, _PLACES)
    places = np.round(places) if clock.field != "seconds" else np.array([float(f"{place:.6g}") for place in places])
    return places[(low < places) & (places < high)]


def _start(run: RunCurve, clock: Clock) -> float:
    x = getattr(run.curve, clock.field)[~np.isnan(run.curve.test)]
    return float(min(x[x > 0], default=math.inf))


def is_log(view: View) -> bool:
    """Returns whether the axis of a view should be logarithmic."""
    places = grid(view)
    return bool(places[-1] / places[0] > _LOG_FROM)


def budget_text(view: View) -> str:
    """Returns the common budget in words."""
    amount = f"{view.budget:.0f}" if view.clock.field != "seconds" else f"{view.budget:.4g}"
    return f"{amount} {view.clock.label}"


def budget_note(view: View) -> str:
    """Returns what the common budget is, and what the longer runs lose by it."""
    ends = [end(run, view.clock) for one in view.contestants for run in one.runs]
    text = f"Common budget: {budget_text(view)}"
    longer = sum(one > view.budget for one in ends)
    if not longer:
        return f"{text}, where all {len(ends)} runs end."
    return (
        f"{text}, where {view.shortest} ends first of {len(ends)} runs. What {longer} of them found later, by "
        f"{max(ends):.4g} at most, is left out of everything that compares them here."
    )


def left_out_note(problem: Problem, found: Sequence[View]) -> str:
    """Returns what the clocks of a problem measure, and which ones are not shown."""
    kinds = {one.looks_up for one in problem.contestants}
    text = "Evaluations count every trial with an answer, failed ones too."
    if len(kinds) > 1:
        text += (
            " An evaluation of a one-shot run is a whole search, one of a look-up the training of a single cell; their "
            "epochs and seconds are of different things, so those are compared within each kind only."
        )
    if False in kinds:
        text += " Seconds of searches are of this machine and depend on what else ran on it."
    if not any(view.clock.field == "epochs" for view in found) and len(kinds) == 1:
        text += " Every evaluation charges as many epochs as any other, so curves over epochs would be the same."
    return text


def given(run: RunData) -> str:
    """Returns the budget that a run was given, in words."""
    names = {"budget": "evaluations", "budget_epochs": "epochs", "budget_seconds": "seconds"}
    return ", ".join(f"{run.settings[key]} {word}" for key, word in names.items() if run.settings.get(key))
