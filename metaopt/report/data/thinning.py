"""What of a long run is drawn: all that was the best so far, and of the rest as much as a page can hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metaopt.core.arrays import Floats
from metaopt.report.data.incumbents import best_so_far
from metaopt.report.data.load import Evaluation, RunData

#: Most trials in a figure: more of them lie over each other, and each takes a hundred bytes of the page.
MARKS = 500
_MARKS_OF_PAGE, _FEWEST = 6000, 100
#: Most rows in a table of trials.
ROWS = 500
#: Most places of a curve where it changes; a figure has fewer pixels.
STEPS = 1000


def marks_each(figures: int) -> int:
    """Returns how many trials each of several figures may show, so that the page holds them all."""
    return max(_FEWEST, min(MARKS, _MARKS_OF_PAGE // max(1, figures)))


def thinned(run: RunData, evaluations: Sequence[Evaluation], most: int = MARKS) -> list[Evaluation]:
    """Returns at most ``most`` evaluations in their order: those that were the best so far, and an even choice."""
    if len(evaluations) <= most:
        return list(evaluations)
    best = {one.trial.id for one in best_so_far(run) if one}
    first, others = ([e for e in evaluations if (e.trial.id in best) is is_best] for is_best in (True, False))
    first = evenly(first, most)
    kept = {e.trial.id for e in (*first, *evenly(others, most - len(first)))}
    return [e for e in evaluations if e.trial.id in kept]


def listed(run: RunData) -> list[Evaluation]:
    """Returns the trials that the table of a run's page has."""
    return thinned(run, run.evaluations, ROWS)


def evenly(evaluations: Sequence[Evaluation], most: int) -> list[Evaluation]:
    """Returns at most ``most`` of them, evenly spaced, with both ends where there is room for them."""
    if len(evaluations) <= most:
        return list(evaluations)
    return [evaluations[place] for place in even(len(evaluations), most)]


def even(n: int, most: int) -> NDArray[np.int_]:
    """Returns ``most`` places of ``n``, evenly spaced, with both ends."""
    return np.linspace(0, n - 1, most).round().astype(int)


def thinning_note(drawn: int, there: int) -> str:
    """Returns what a caption says of it, with a blank before; nothing if all are drawn."""
    if drawn == there:
        return ""
    return (
        f" Drawn are {drawn:,} of {there:,} trials: those that were the best so far, and of the others an even choice."
    )


def corners(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Returns the places of a step function where it changes, with both ends: drawn, it looks the same.

    Of more than :data:`STEPS` changes an even choice.

    Args:
        x: (n,) ascending.
        y: (n,) or (n, k) values from each x on.
    """
    if len(x) < 3:
        return x, y
    rows = y.reshape(len(x), -1)
    same = (rows[1:] == rows[:-1]) | (np.isnan(rows[1:]) & np.isnan(rows[:-1]))
    changes = np.flatnonzero(np.concatenate([[True], ~same.all(axis=1)]))
    if changes[-1] != len(x) - 1:
        changes = np.append(changes, len(x) - 1)
    if len(changes) > STEPS:
        changes = changes[even(len(changes), STEPS)]
    return x[changes], y[changes]
