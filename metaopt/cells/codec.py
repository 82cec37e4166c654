"""Cells as configurations: one categorical per choice, so that every tuner can search a cell space directly.

Encoding of 1Shot1's black-box baselines (released code, ``nasbench_optimizers``): ``op_1`` to ``op_n``, and
``parents_j``, ``parents_output`` for nodes that have a choice, with values such as ``"0,2"``.
"""

from __future__ import annotations

from collections.abc import Mapping

from ConfigSpace import Categorical

from metaopt.cells.graph import OPS
from metaopt.cells.space import Cell, CellSpace
from metaopt.core.errors import ConfigError
from metaopt.spaces.exact import Space


def _parents_name(space: CellSpace, node: int) -> str:
    return "parents_output" if node > space.n_nodes else f"parents_{node}"


def _spell(parents: tuple[int, ...]) -> str:
    return ",".join(map(str, parents))


def cell_configuration_space(space: CellSpace) -> Space:
    """Returns the space of all cells, which has no default."""
    result = Space(space.name, has_default=False)
    result.add([Categorical(f"op_{j}", OPS) for j in range(1, space.n_nodes + 1)])
    result.add(
        [
            Categorical(_parents_name(space, node), [_spell(parents) for parents in choices])
            for node, choices in enumerate(space.parent_choices, start=1)
            if len(choices) > 1
        ]
    )
    return result


def to_config(space: CellSpace, cell: Cell) -> dict[str, str]:
    """Returns the configuration of a cell of ``space``."""
    config = {f"op_{j}": op for j, op in enumerate(cell.ops, start=1)}
    for node, (parents, choices) in enumerate(zip(cell.parents, space.parent_choices, strict=True), start=1):
        if len(choices) > 1:
            config[_parents_name(space, node)] = _spell(parents)
    return config


def from_config(space: CellSpace, config: Mapping[str, object]) -> Cell:
    """Returns the cell of a configuration.

    Raises:
        ConfigError: if a choice is missing, or is not a choice of the space.
    """

    def choose(name: str, choices: Mapping[str, tuple[int, ...] | str]) -> tuple[int, ...] | str:
        value = config.get(name)
        if value not in choices:
            raise ConfigError(
                f"{name} of a cell of {space.name} is {value!r}; allowed: {', '.join(choices)}",
                "a configuration holds one choice per operation and per set of parents",
            )
        return choices[str(value)]

    parents = [
        choices[0] if len(choices) == 1 else choose(_parents_name(space, node), {_spell(c): c for c in choices})
        for node, choices in enumerate(space.parent_choices, start=1)
    ]
    ops = [choose(f"op_{j}", {op: op for op in OPS}) for j in range(1, space.n_nodes + 1)]
    return Cell(tuple(tuple(map(int, p)) for p in parents), tuple(map(str, ops)))
