"""Which hyperparameters matter: functional analysis of variance on random forests.

Hutter, Hoos and Leyton-Brown (2014), "An Efficient Approach for Assessing Hyperparameter Importance", sections 3 and 4:
a tree is constant on boxes, so the mean over all other hyperparameters (the marginal) and the share of the variance
that a single one explains follow exactly, without sampling. A value that is inactive counts as the default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from metaopt.core.arrays import Floats
from metaopt.core.seeds import seed_integer

#: Out-of-bag R^2 below which shares are not to be trusted: forests that explain less of trials they have not seen fit
#: noise; our choice.
TRUSTED_FIT = 0.2
_FORESTS, _TREES = 8, 64  # 64 trees leave no trial without an out-of-bag prediction; 8 forests give a spread
_PAIR_FORESTS = 4  # of several runs: more trials, less spread, and interactions cost as much as there are pairs


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of the validation error that single inputs explain.

    Attributes:
        names: (d,) of the inputs; empty if it was not computed.
        mean: (d,) share in [0, 1], over forests.
        std: (d,) standard deviation over forests.
        fit: Out-of-bag R^2 of the forests, their mean: near or below 0, the shares mean nothing.
        n_trials: Trials they are learnt from: all, or of very many an even choice.
        n_needed: Trials below which they are not computed; the arrays are empty then.
        pairs: Share that two inputs explain together beyond what each one does alone, over forests; empty for a single
            run, whose trials are too few for that.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: float
    n_trials: int
    n_needed: int
    pairs: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def is_trusted(self) -> bool:
        """Whether the forests explain enough of the trials that they have not seen."""
        return bool(self.names) and self.fit >= TRUSTED_FIT


def importance(features: Floats, target: Floats, names: Sequence[str], *, with_pairs: bool = False) -> Importance:
    """Returns the importance of every input.

    Args:
        features: (n, d) inputs in [0, 1].
        target: (n,) validation errors.
        names: (d,) of the inputs.
        with_pairs: Whether to compute interactions of two inputs, on fewer forests, as there are many pairs.
    """
    needed = max(10, 2 * len(names))
    if not len(names) or len(target) < needed or np.ptp(target) == 0:
        return Importance((), (), (), math.nan, len(target), needed)
    shares, fits, pairs = [], [], []
    for number in range(_PAIR_FORESTS if with_pairs else _FORESTS):
        forest = RandomForestRegressor(_TREES, oob_score=True, random_state=seed_integer(number, "importance"))
        forest.fit(features, target)
        shares.append(forest_shares(forest, len(names)))
        fits.append(forest.oob_score_)
        if with_pairs:
            pairs.append(forest_pair_shares(forest, len(names)))
    mean, std = np.mean(shares, axis=0), np.std(shares, axis=0, ddof=1)
    return Importance(
        tuple(names),
        tuple(mean.tolist()),
        tuple(std.tolist()),
        float(np.mean(fits)),
        len(target),
        needed,
        _named(names, np.mean(pairs, axis=0)) if pairs else {},
    )


def _named(names: Sequence[str], shares: Floats) -> dict[tuple[str, str], float]:
    return {(names[i], names[j]): float(shares[i, j]) for i, j in combinations(range(len(names)), 2)}


def forest_shares(forest: RandomForestRegressor, n_inputs: int) -> Floats:
    """Returns the share of variance that each input explains, (d,), as the mean over the trees of a fitted forest.

    Args:
        forest: Fitted on inputs in [0, 1].
        n_inputs: d.
    """
    shares: Floats = np.mean([_tree_shares(tree.tree_, n_inputs) for tree in forest.estimators_], axis=0)
    return shares


def forest_pair_shares(forest: RandomForestRegressor, n_inputs: int) -> Floats:
    """Returns the share of variance that each pair of inputs explains beyond its members, (d, d), 0 on the diagonal.

    Args:
        forest: Fitted on inputs in [0, 1].
        n_inputs: d.
    """
    shares: Floats = np.mean([_tree_pair_shares(tree.tree_, n_inputs) for tree in forest.estimators_], axis=0)
    return shares


def _tree_shares(tree: object, n_inputs: int) -> Floats:
    lower, upper, value, volume = _solid_boxes(tree, n_inputs)
    mean = float(volume @ value)
    total = float(volume @ (value - mean) ** 2)
    if total <= 0:
        return np.zeros(n_inputs)
    return (
        np.array([_marginal_variance(lower[:, j], upper[:, j], volume * value, mean) for j in range(n_inputs)]) / total
    )


def _tree_pair_shares(tree: object, n_inputs: int) -> Floats:
    """Returns the shares of one tree: the variance of each marginal of two inputs less those of its two members."""
    lower, upper, value, volume = _solid_boxes(tree, n_inputs)
    mean, shares = float(volume @ value), np.zeros((n_inputs, n_inputs))
    total = float(volume @ (value - mean) ** 2)
    if total <= 0:
        return shares
    sides = [_sides(lower[:, j], upper[:, j]) for j in range(n_inputs)]
    alone = [width @ (inside @ (volume * value) - mean) ** 2 for width, inside in sides]
    for i, j in combinations(range(n_inputs), 2):
        marginal = (sides[i][1] * (volume * value)) @ sides[j][1].T
        both = sides[i][0] @ (marginal - mean) ** 2 @ sides[j][0]
        shares[i, j] = shares[j, i] = (both - alone[i] - alone[j]) / total
    return shares


def _sides(lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Returns the stretches (S,) between the borders of boxes, and (S, L) the density of each box in each of them."""
    borders = np.unique(np.concatenate([lower, upper]))
    middle = (borders[1:] + borders[:-1]) / 2
    inside = (lower <= middle[:, None]) & (middle[:, None] < upper)
    return np.diff(borders), inside / (upper - lower)


def _solid_boxes(tree: object, n_inputs: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Returns the leaves of a tree that are not empty: lower (L, d), upper (L, d), value (L,), volume (L,)."""
    lower, upper, value = _boxes(tree, n_inputs)
    volume = np.prod(upper - lower, axis=1)
    solid = volume > 0  # thresholds are rounded to 32 bits, so a box between two close values can be empty
    return lower[solid], upper[solid], value[solid], volume[solid]


def _marginal_variance(lower: Floats, upper: Floats, weight: Floats, mean: float) -> float:
    """Variance of the marginal of one input, which is constant between the boxes' borders.

    Args:
        lower: (L,) lower borders of the boxes in this input.
        upper: (L,) upper borders.
        weight: (L,) volume times value of each box.
        mean: Mean of the whole tree.
    """
    borders = np.unique(np.concatenate([lower, upper]))
    middle = (borders[1:] + borders[:-1]) / 2
    inside = (lower <= middle[:, None]) & (middle[:, None] < upper)
    marginal = inside @ (weight / (upper - lower))
    return float(np.diff(borders) @ (marginal - mean) ** 2)


def _boxes(tree: Any, n_inputs: int) -> tuple[Floats, Floats, Floats]:
    """Returns the leaves of a scikit-learn tree as boxes in [0, 1]^d: lower (L, d), upper (L, d), value (L,)."""
    left, right = tree.children_left, tree.children_right
    feature, threshold, value = tree.feature, tree.threshold, tree.value
    boxes = []
    waiting = [(0, np.zeros(n_inputs), np.ones(n_inputs))]
    while waiting:
        node, lower, upper = waiting.pop()
        if left[node] < 0:
            boxes.append((lower, upper, float(value[node, 0, 0])))
            continue
        below, above = upper.copy(), lower.copy()
        below[feature[node]] = above[feature[node]] = threshold[node]
        waiting += [(left[node], lower, below), (right[node], above, upper)]
    lowers, uppers, values = zip(*boxes, strict=True)
    return np.array(lowers), np.array(uppers), np.array(values)
