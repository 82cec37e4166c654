"""Blocks of a study: the seeds of each problem that all groups have, where their regrets can be ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metaopt.core.arrays import Floats
from metaopt.report.data.clocks import View, regrets
from metaopt.report.stats.ranks import FEWEST_BLOCKS

#: Places of the figure of ranks over the budget.
SHARES = np.unique(np.round(np.concatenate([np.geomspace(0.01, 1, 60), np.linspace(0.05, 1, 40)]), 4))


@dataclass(frozen=True)
class Blocks:
    """Test regrets of groups in blocks.

    Attributes:
        labels: Of the k groups.
        names: Of the n blocks: problem and seed.
        shares: (m,) shares of each problem's common budget.
        values: (m, n, k) test regrets, infinite where a run has no cell yet.
        clocks: What the budget of each problem is measured in.
        left_out: Groups that not every problem has.
        budgets: Common budget of each problem.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    shares: Floats
    values: Floats
    clocks: tuple[str, ...]
    left_out: tuple[str, ...]
    budgets: tuple[float, ...]


def blocks(views: Sequence[tuple[str, View]]) -> Blocks | None:
    """Returns the blocks of several problems: the seeds of each that all groups have.

    Args:
        views: Problem and the view that its groups are compared on.

    Returns:
        None if fewer than two groups are in every problem, or if there are fewer blocks than a test needs.
    """
    every = list(dict.fromkeys(one.label for _, view in views for one in view.contestants))
    labels = tuple(name for name in every if all(_has(view, name) for _, view in views))
    if len(labels) < 2:
        return None
    names, values = [], []
    for problem, view in views:
        members = [one for one in view.contestants if one.label in labels]
        curves = {one.label: regrets(one, view.clock, SHARES * view.budget) for one in members}
        places = {one.label: {seed: place for place, seed in enumerate(one.seeds)} for one in members}
        for seed in sorted(set.intersection(*(set(found) for found in places.values()))):
            names.append(f"{problem}, seed {seed}")
            values.append([curves[label][places[label][seed]] for label in labels])
    if len(names) < FEWEST_BLOCKS:
        return None
    array = np.moveaxis(np.array(values), 2, 0)
    return Blocks(
        labels=labels,
        names=tuple(names),
        shares=SHARES,
        values=np.where(np.isnan(array), np.inf, array),
        clocks=tuple(dict.fromkeys(view.clock.label for _, view in views)),
        left_out=tuple(name for name in every if name not in labels),
        budgets=tuple(view.budget for _, view in views),
    )


def _has(view: View, label: str) -> bool:
    return any(one.label == label for one in view.contestants)
