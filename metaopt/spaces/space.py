"""Spaces: the hyperparameters of a one-shot optimizer, by name or from the user's file, as a ConfigurationSpace.

Shipped spaces are data, one YAML file each; a hyperparameter's unit and the source of its range stand in its ``meta``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    FloatHyperparameter,
    Hyperparameter,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.types import NotSet

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.paths import data_folder
from metaopt.core.trial import Value
from metaopt.core.wording import shown
from metaopt.core.yaml_file import read_yaml
from metaopt.spaces.exact import Space, without_room
from metaopt.spaces.file import check_space_file, extended, space_file, space_names

#: Of so many draws so many must be legal, or the space is refused.
_ROOM_DRAWS, _ROOM_LEGAL = 10_000, 10


def load_space(name_or_path: str | Path) -> Space:
    """Returns the shipped space of that name, or the one in the user's file.

    Args:
        name_or_path: One of :func:`space_names`, or the path of a .yaml file.

    Raises:
        ConfigError: if there is no such space or file, or if the file is not a space; says which line, key or value.
    """
    path = space_file(name_or_path)
    data = read_yaml(path)
    try:
        return space_from_json(_with_base(data))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", error.hint) from None


def _with_base(data: Any) -> Any:
    """Returns the content of a space file, what it extends included."""
    if not isinstance(data, Mapping) or "extends" not in data:
        return data
    if data["extends"] not in space_names():
        raise unknown_name("space in extends:", str(data["extends"]), space_names(), "name a shipped space")
    base = read_yaml(data_folder("spaces") / f"{data['extends']}.yaml")
    return extended(data, _with_base(base))


def space_to_json(space: ConfigurationSpace) -> dict[str, Any]:
    """Returns the space as plain JSON values, ``meta`` included."""
    return space.encoded() if isinstance(space, Space) else space.to_serialized_dict()


def space_from_json(data: Mapping[str, Any]) -> Space:
    """Returns the space that :func:`space_to_json` wrote, or that a space file says.

    Raises:
        ConfigError: if it is not a space, or if its constraints leave almost nothing.
    """
    check_space_file(data)
    try:
        space = Space.decoded(data)
    except Exception as error:  # ConfigSpace documents no common class of its errors
        reason = " ".join(str(error).split())
        raise ConfigError(f"ConfigSpace refuses the space: {reason}", "correct the entry it names") from error
    _check_room(space)
    return space


def exact(space: ConfigurationSpace) -> Space:
    """Returns a copy of a space, one that somebody made by ConfigSpace included, whose parts agree with each other.

    Raises:
        ConfigError: as :func:`space_from_json`.
    """
    return deepcopy(space) if isinstance(space, Space) else space_from_json(space_to_json(space))


def _check_room(space: Space) -> None:
    """Refuses a space in which looking for a legal configuration may take for ever."""
    if not space.forbidden_clauses:
        return
    space.seed(0)
    legal = space.draws(_ROOM_DRAWS // 10).shape[1]
    if legal >= _ROOM_LEGAL:
        return
    legal += space.draws(_ROOM_DRAWS - _ROOM_DRAWS // 10).shape[1]
    if legal < _ROOM_LEGAL:
        raise without_room(space.name, legal, _ROOM_DRAWS)


def plain(config: Configuration | Mapping[str, Any]) -> dict[str, Value]:
    """Returns the active hyperparameters as plain Python values; ConfigSpace samples NumPy's."""
    return {str(k): v.item() if isinstance(v, np.generic) else v for k, v in dict(config).items()}


def default_of(space: ConfigurationSpace) -> dict[str, Value] | None:
    """Returns the default configuration; None where there is none, as of cells."""
    without = isinstance(space, Space) and not space.has_default
    return None if without else plain(space.get_default_configuration())


def default_with(space: ConfigurationSpace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the default configuration with some other values; what these switch on has its own default.

    Args:
        space: Whose default it is.
        given: Values by name. They may be out of the space's ranges, or of names that it does not hold.

    Raises:
        ConfigError: if a value would have no effect, since what switches it on is off.
    """
    active: dict[str, Any] = dict.fromkeys(space, NotSet)
    for name in space:  # parents come before children
        needed = unmet(space, name, active)
        if not needed:
            active[name] = given.get(name, space[name].default_value)
        elif name in given:
            text = f"{name} has no effect: it counts only where {' and '.join(needed)}"
            raise ConfigError(text, f"set that, too, or not {name}")
    return plain({**{name: value for name, value in active.items() if value is not NotSet}, **given})


def unmet(space: ConfigurationSpace, name: str, config: Mapping[str, Any]) -> list[str]:
    """Returns the conditions of a hyperparameter that are not met in ``config``, as ``parent == value``."""
    values = {**dict.fromkeys(space, NotSet), **config}
    conditions = space.parent_conditions_of[name]
    return [str(c).replace(f"{name} | ", "") for c in conditions if not c.satisfied_by_value(values)]


def check_config(space: ConfigurationSpace, config: Mapping[str, Value]) -> None:
    """Checks that ``config`` is a configuration of ``space``: all active hyperparameters, no other, each in its range.

    Raises:
        ConfigError: for the first hyperparameter that is unknown, missing, inactive, or has a value it cannot take.
    """
    for name, value in config.items():
        if name not in space:
            raise unknown_name("hyperparameter", name, space)
        if not _takes(space[name], value):
            raise ConfigError(
                f"{name} cannot be {shown(value)}; allowed: {space[name]}", "choose a value that it can take"
            )
    try:
        Configuration(space, values=dict(config))
    except Exception as error:  # ConfigSpace documents no common class of its errors
        reason = " ".join(str(error).split())
        hint = "give every active hyperparameter and no other"
        raise ConfigError(f"not a configuration of the space {space.name}: {reason}", hint) from error


def is_config(space: ConfigurationSpace, config: Mapping[str, Value]) -> bool:
    """Returns whether ``config`` is a configuration of ``space``, see :func:`check_config`."""
    try:
        check_config(space, config)
    except ConfigError:
        return False
    return True


def _takes(hyperparameter: Hyperparameter[Any, Any], value: Value) -> bool:
    # In Python 1 == 1.0 == True, but one of them is not what the objective expects.
    if isinstance(hyperparameter, IntegerHyperparameter):
        return type(value) is int and bool(hyperparameter.legal_value(value))
    if isinstance(hyperparameter, FloatHyperparameter):
        return isinstance(value, (int, float)) and type(value) is not bool and bool(hyperparameter.legal_value(value))
    return any(type(allowed) is type(value) and allowed == value for allowed in _choices(hyperparameter))


def _choices(hyperparameter: Hyperparameter[Any, Any]) -> Sequence[Value]:
    match hyperparameter:
        case CategoricalHyperparameter():
            return hyperparameter.choices
        case OrdinalHyperparameter():
            return hyperparameter.sequence
        case _:
            return (hyperparameter.default_value,)
