"""Grid search: every combination of a few values of each hyperparameter, as often as wanted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.exceptions import ForbiddenValueError
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    NumericalHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.util import deactivate_inactive_hyperparameters

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.trial import Trial, Value
from metaopt.settings.field import field
from metaopt.spaces.space import plain, unmet
from metaopt.tuners.base import Problem, Proposal
from metaopt.tuners.fixed import Rounds

_MOST_CONFIGURATIONS = 10_000  # before the inactive and the forbidden are taken out; more is surely a mistake


class Grid(Rounds):
    """Goes round a grid, ``repeats`` times with fresh seeds, at the largest budget; then it proposes nothing more.

    A number takes values evenly on its own scale, both ends among them; anything else all of its values. The default
    configuration, or a draw where the space has none, comes first, whether it lies on the grid or not. A trial's key is
    the place of its configuration.

    Raises:
        ConfigError: if a name in ``over`` is not in the space or could not vary, or if the grid is huge.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options(Rounds.Options):
        """Options of ``grid``; an empty ``over`` evaluates the first configuration again and again."""

        points: int = field(3, "values of a hyperparameter that is a number; fewer of few whole numbers", ge=2)
        over: Sequence[str] | None = field(
            None, "names of the hyperparameters that vary; the others stay as in the first", otherwise="all"
        )

    options: Options

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        space, points, over = problem.space, self.options.points, self.options.over
        named = list(map(str, over or ()))
        for name in named:
            if name not in space:
                raise unknown_name("hyperparameter in over:", name, space, "name hyperparameters of the space")
        self._grid = partial(_configurations, space, frozenset(space if over is None else named), points)
        configs = self._grid(self.first)
        _check_varying(space, [name for name in named if len(_values(space[name], points)) > 1], configs)
        self.configs = tuple(configs)

    def _propose(self, ask: int, logged: Trial | None) -> Proposal | None:
        if self.configs[0] != self.first:  # a journal begins with another one
            self.configs = tuple(self._grid(self.first))
        return super()._propose(ask, logged)


def _configurations(
    space: ConfigurationSpace, over: Set[str], points: int, first: Mapping[str, Value]
) -> list[dict[str, Value]]:
    """Returns the active configurations of the grid, each once, after the ``first`` that they keep the rest of."""
    axes = [
        _values(space[name], points) if name in over else [first.get(name, space[name].default_value)] for name in space
    ]
    size = math.prod(map(len, axes))
    if size > _MOST_CONFIGURATIONS:
        raise ConfigError(
            f"the grid has {size} configurations; allowed: {_MOST_CONFIGURATIONS}",
            "lower points, or name fewer hyperparameters with over",
        )
    found = [dict(first), *_legal(space, axes)]
    # Combinations that differ in what is inactive only are one configuration.
    return list({tuple(sorted(config.items())): config for config in found}.values())


def _check_varying(space: ConfigurationSpace, names: Sequence[str], configs: Sequence[dict[str, Value]]) -> None:
    """Refuses a grid over what is inactive, or forbidden except for one value, in all of its configurations."""
    for name in names:
        if len({config[name] for config in configs if name in config}) > 1:
            continue
        if any(name in config for config in configs):
            raise ConfigError(f"over names {name}, but the space forbids all its values but one", f"leave out {name}")
        needed = " and ".join(unmet(space, name, configs[0]))
        raise ConfigError(
            f"over names {name}, which has no effect: it counts only where {needed}",
            f"name in over what that depends on, too, or leave out {name}",
        )


def _legal(space: ConfigurationSpace, axes: Sequence[Sequence[Any]]) -> Iterator[dict[str, Value]]:
    for values in product(*axes):
        try:
            yield plain(deactivate_inactive_hyperparameters(dict(zip(space, values, strict=True)), space))
        except ForbiddenValueError:
            continue


def _values(hyperparameter: Hyperparameter[Any, Any], points: int) -> list[Any]:
    match hyperparameter:
        case CategoricalHyperparameter():
            return list(hyperparameter.choices)
        case OrdinalHyperparameter():
            return list(hyperparameter.sequence)
        case NumericalHyperparameter():
            places = np.linspace(0.0, 1.0, points)
            return list(dict.fromkeys(hyperparameter.to_value(float(place)) for place in places))
        case Constant():
            return [hyperparameter.value]
    raise TypeError(f"{type(hyperparameter).__name__} has no values that a grid could take")
