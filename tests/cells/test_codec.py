from __future__ import annotations

import math

import numpy as np
import pytest

from metaopt.cells.codec import cell_configuration_space, from_config, to_config
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError
from metaopt.spaces.space import default_of, exact


@pytest.mark.parametrize("number", CELL_SPACES)
def test_cells_and_configurations_are_one_to_one(number: int) -> None:
    space = CELL_SPACES[number]
    configurations = cell_configuration_space(space)
    assert math.prod(len(h.choices) for h in configurations.values()) == {1: 14_580, 2: 29_160, 3: 1_312_200}[number]
    rng = np.random.default_rng(number)
    for _ in range(50):
        cell = space.sample(rng)
        config = to_config(space, cell)
        assert from_config(space, config) == cell
        assert set(config) == set(configurations)
        assert all(value in configurations[name].choices for name, value in config.items())


@pytest.mark.parametrize("number", CELL_SPACES)
def test_every_sampled_configuration_is_a_cell(number: int) -> None:
    space = CELL_SPACES[number]
    configurations = cell_configuration_space(space)
    configurations.seed(3)
    for configuration in configurations.sample_configuration(50):
        cell = from_config(space, dict(configuration))
        assert tuple(map(len, cell.parents)) == space.n_parents
        assert to_config(space, cell) == {name: str(value) for name, value in configuration.items()}


def test_cells_have_no_default() -> None:
    assert default_of(exact(cell_configuration_space(CELL_SPACES[1]))) is None


def test_bad_choices_are_named() -> None:
    space = CELL_SPACES[1]
    config: dict[str, object] = dict(to_config(space, space.sample(np.random.default_rng(0))))
    with pytest.raises(ConfigError, match=r"op_2 of a cell of nb1shot1-1 is 'conv7x7'; allowed: conv3x3"):
        from_config(space, {**config, "op_2": "conv7x7"})
    del config["parents_output"]
    with pytest.raises(ConfigError, match="parents_output of a cell of nb1shot1-1 is None"):
        from_config(space, config)
