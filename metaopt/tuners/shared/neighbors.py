"""Neighbors in any space: a configuration's neighbors, and random mutations of it, always legal ones.

A move changes one active hyperparameter. What it switches on gets a value, what it switches off is dropped, and what
the space forbids is never returned. Numbers move on their own scale, from 0 at the lower to 1 at the upper end.

A categorical hyperparameter whose choices are all sets of whole numbers, written as ``"0,2"``, is a *set choice*; the
parents of a cell's nodes are such. Its value can be swapped: one element for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeGuard

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    FloatHyperparameter,
    Hyperparameter,
    IntegerHyperparameter,
    NumericalHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.types import NotSet

from metaopt.core.trial import Value
from metaopt.spaces.space import is_config, plain, unmet

#: Standard deviation of a number's mutation on its own scale: as in SMAC (Hutter et al. 2011, section 4.3).
STEP = 0.2
#: Distances of a number's neighbors on its own scale: a coarse one, SMAC's, and a fine one to finish with. Own choice.
NEIGHBOR_STEPS = (0.05, 0.2)

_TRIES = 32  # Gaussian steps per mutation; half or more of them stay within the range, so that all fail in 1 of 4e9
_PLACES = 9  # positions that agree in as many decimals are one: far coarser than rounding, far finer than any step

Config = Mapping[str, Value]
#: Gives a value to a hyperparameter that a move has switched on.
Fill = Callable[[Hyperparameter[Any, Any]], Value]


def identity(space: ConfigurationSpace, config: Config) -> tuple[Any, ...]:
    """Returns what is equal for equal configurations of ``space``; floats that differ by rounding count as equal."""

    def place(name: str) -> Any:
        if name not in config:
            return None
        if isinstance(space[name], FloatHyperparameter):
            return round(_place(space[name], config[name]), _PLACES)
        return config[name]

    return tuple(place(name) for name in space)


def neighbors(space: ConfigurationSpace, config: Config, *, swap: bool = False) -> list[dict[str, Value]]:
    """Returns all neighbors of a configuration, each once, in a fixed order.

    A categorical hyperparameter takes each other value, an ordinal one the next lower and higher, a number those at
    the distances :data:`NEIGHBOR_STEPS`, a whole number the adjacent ones too. What is switched on has its default.

    Args:
        space: Where to move.
        config: A configuration of ``space``.
        swap: Change a set choice in one element only, instead of to any other of its sets.
    """
    found = {identity(space, config): dict(config)}
    for name, value in config.items():
        hyperparameter = space[name]
        values = _swaps(hyperparameter, value) if swap and is_set_choice(hyperparameter) else None
        for new in _adjacent(hyperparameter, value) if values is None else values:
            neighbor = _changed(space, config, name, new, lambda h: h.default_value)
            if neighbor is not None:
                found.setdefault(identity(space, neighbor), neighbor)
    return list(found.values())[1:]


def mutated(
    space: ConfigurationSpace, config: Config, rng: np.random.Generator, *, among: Callable[[str], bool] | None = None
) -> dict[str, Value]:
    """Returns a configuration that differs in one active hyperparameter, drawn uniformly from those that can change.

    A categorical or ordinal one takes another value, uniformly; a number makes a Gaussian step on its own scale, by
    :data:`STEP`, a whole number by at least 1. What is switched on is drawn from its prior.

    Args:
        space: Where to move.
        config: A configuration of ``space``; returned as it is where nothing can change.
        rng: Source of the draw.
        among: Whether a hyperparameter, given by its name, may be the one that changes; None: all may.
    """
    names = [name for name in space if name in config and (among is None or among(name))]
    moves = (
        ((names[i], value) for value in _drawn(space[names[i]], config[names[i]], rng)) for i in _order(names, rng)
    )
    return _first_legal(space, config, chain.from_iterable(moves), rng)


def mutated_as_published(space: ConfigurationSpace, config: Config, rng: np.random.Generator) -> dict[str, Value]:
    """Returns a mutation as NAS-Bench-1Shot1's released evolution makes it, whose spaces are cell spaces.

    With a probability of 1/3 each: the configuration itself; one set choice, drawn uniformly, with one element swapped
    for another; any other hyperparameter, drawn uniformly, with another value.

    Args:
        space: One with set choices.
        config: A configuration of ``space``.
        rng: Source of the draw.
    """
    kind = rng.integers(3)
    if kind == 0:
        return dict(config)
    if kind == 1:
        return mutated(space, config, rng, among=lambda name: not is_set_choice(space[name]))
    choices = {name: space[name] for name in config}
    swaps = {name: _swaps(choice, config[name]) for name, choice in choices.items() if is_set_choice(choice)}
    names = list(swaps)
    moves = (((names[i], swaps[names[i]][j]) for j in _order(swaps[names[i]], rng)) for i in _order(names, rng))
    return _first_legal(space, config, chain.from_iterable(moves), rng)


def is_set_choice(hyperparameter: Hyperparameter[Any, Any]) -> TypeGuard[CategoricalHyperparameter]:
    """Returns whether there are several choices, all of them sets of whole numbers such as ``"0,2"``."""
    if not isinstance(hyperparameter, CategoricalHyperparameter) or len(hyperparameter.choices) < 2:
        return False
    return all(isinstance(c, str) and all(e.isdecimal() for e in c.split(",")) for c in hyperparameter.choices)


def _swaps(hyperparameter: CategoricalHyperparameter, value: Value) -> list[Value]:
    old = set(str(value).split(","))
    sets = {choice: set(choice.split(",")) for choice in _values(hyperparameter)}
    return [choice for choice, new in sets.items() if len(new) == len(old) and len(old - new) == 1]


def _adjacent(hyperparameter: Hyperparameter[Any, Any], value: Value) -> list[Value]:
    match hyperparameter:
        case CategoricalHyperparameter():
            return [choice for choice in _values(hyperparameter) if choice != value]
        case OrdinalHyperparameter():
            index = _values(hyperparameter).index(value)
            return [_values(hyperparameter)[i] for i in (index - 1, index + 1) if 0 <= i < hyperparameter.size]
        case NumericalHyperparameter():
            at = _place(hyperparameter, value)
            steps = [sign * step for step in NEIGHBOR_STEPS for sign in (-1, 1)]
            found: list[Any] = [hyperparameter.to_value(min(max(at + step, 0.0), 1.0)) for step in steps]
            if isinstance(hyperparameter, IntegerHyperparameter):
                found += [int(value) - 1, int(value) + 1]
            return [new for new in found if hyperparameter.lower <= new <= hyperparameter.upper]
        case _:
            return []


def _drawn(hyperparameter: Hyperparameter[Any, Any], value: Value, rng: np.random.Generator) -> Iterator[Value]:
    """Yields other values in random order; of a number some, otherwise all."""
    match hyperparameter:
        case CategoricalHyperparameter() | OrdinalHyperparameter():
            others = [other for other in _values(hyperparameter) if other != value]
            yield from (others[i] for i in _order(others, rng))
        case NumericalHyperparameter():
            at = _place(hyperparameter, value)
            for place in at + STEP * rng.standard_normal(_TRIES):
                new: Any = hyperparameter.to_value(float(place)) if 0 <= place <= 1 else value
                if new == value and isinstance(hyperparameter, IntegerHyperparameter):
                    new = int(value) + (1 if place > at else -1)
                if new != value and hyperparameter.lower <= new <= hyperparameter.upper:
                    yield new


def _first_legal(
    space: ConfigurationSpace, config: Config, moves: Iterator[tuple[str, Value]], rng: np.random.Generator
) -> dict[str, Value]:
    def fill(hyperparameter: Hyperparameter[Any, Any]) -> Value:
        value: Value = hyperparameter.sample_value(seed=np.random.RandomState(rng.bit_generator))
        return value

    return next(filter(None, (_changed(space, config, name, new, fill) for name, new in moves)), dict(config))


def _changed(space: ConfigurationSpace, config: Config, name: str, new: Value, fill: Fill) -> dict[str, Value] | None:
    """Returns ``config`` with another value of ``name`` and of what depends on it; None where that is forbidden."""
    changed: dict[str, Any] = {**config, name: new}
    if space.children_of[name]:
        wanted, active = changed, dict[str, Any](dict.fromkeys(space, NotSet))
        for each in space:  # parents come before children
            if not unmet(space, each, active):
                active[each] = wanted[each] if each in wanted else fill(space[each])
        changed = {key: value for key, value in active.items() if value is not NotSet}
    changed = plain(changed)
    return None if space.forbidden_clauses and not is_config(space, changed) else changed


def _place(hyperparameter: Hyperparameter[Any, Any], value: Value) -> float:
    """Returns where a number lies on its own scale, 0 to 1."""
    return float(hyperparameter.to_vector(value))


def _values(hyperparameter: CategoricalHyperparameter | OrdinalHyperparameter) -> Sequence[Any]:
    return hyperparameter.sequence if isinstance(hyperparameter, OrdinalHyperparameter) else hyperparameter.choices


def _order(items: Any, rng: np.random.Generator) -> list[int]:
    return [int(i) for i in rng.permutation(len(items))]
