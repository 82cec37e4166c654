"""What of a space can vary: a hyperparameter with one value is no dimension, and counts for none.

A model of few results needs more of them than there are dimensions, so constants would only delay it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaopt.core.trial import Value
from metaopt.spaces.exact import Space
from metaopt.spaces.space import unmet

Condition = Mapping[str, Any] | bool


def varying(space: Space) -> list[str]:
    """Returns the names of the hyperparameters that have more than one value."""
    return [name for name, hyperparameter in space.items() if hyperparameter.size > 1]


def without_constants(space: Space) -> Space:
    """Returns the space of what can vary: ``space`` itself if all of it can.

    A condition on what has one value holds where that is active, or never. Forbidden clauses that name a constant are
    left out, so that what is drawn here may be forbidden there.
    """
    names = varying(space)
    if len(names) == len(space):
        return space
    data = space.encoded()
    given = {item["child"]: item for item in data["conditions"]}
    resolved = {name: _resolved(given.get(name, True), given, set(names)) for name in names}
    alive = {name for name, condition in resolved.items() if condition is not False}
    return Space.decoded(
        {
            "name": space.name,
            "hyperparameters": [item for item in data["hyperparameters"] if item["name"] in alive],
            "conditions": [resolved[name] for name in names if name in alive and resolved[name] is not True],
            "forbiddens": [clause for clause in data["forbiddens"] if _named(clause) <= alive],
        }
    )


def completed(space: Space, config: Mapping[str, Value]) -> dict[str, Value]:
    """Returns a configuration of ``space`` from one of :func:`without_constants`."""
    found: dict[str, Value] = {}
    for name, hyperparameter in space.items():  # parents come before children
        if not unmet(space, name, found):
            found[name] = config.get(name, hyperparameter.default_value)
    return found


def _resolved(condition: Condition, given: Mapping[str, Condition], names: set[str]) -> Condition:
    """Returns a condition without what has one value; True if it always holds, False if it never does."""
    if isinstance(condition, bool):
        return condition
    if "conditions" in condition:
        decided_by = bool(condition["type"] == "OR")
        parts: list[Condition] = [_resolved(part, given, names) for part in condition["conditions"]]
        left: list[Mapping[str, Any]] = [part for part in parts if not isinstance(part, bool)]
        if any(part is decided_by for part in parts):
            return decided_by
        if not left:
            return not decided_by
        return {**condition, "conditions": left} if len(left) > 1 else left[0]
    above = _resolved(given.get(condition["parent"], True), given, names)
    if condition["parent"] in names:
        return condition if above is not False else False
    # What has one value can be compared with that one only.
    return _on(above, condition["child"]) if condition["type"] in ("EQ", "IN") else False


def _on(condition: Condition, child: str) -> Condition:
    """Returns a condition with another child."""
    if isinstance(condition, bool):
        return condition
    parts = {"conditions": [_on(part, child) for part in condition["conditions"]]} if "conditions" in condition else {}
    return {**condition, "child": child, **parts}


def _named(clause: Mapping[str, Any]) -> set[str]:
    found = {clause[key] for key in ("name", "left", "right") if key in clause}
    return found.union(*map(_named, clause.get("clauses", ())))
