from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)

from metaopt.cells.codec import cell_configuration_space, from_config, to_config
from metaopt.cells.space import CELL_SPACES
from metaopt.core.seeds import stream
from metaopt.spaces.space import check_config, load_space, plain
from metaopt.testing.tuner_contract import mixed_space
from metaopt.tuners.shared.neighbors import identity, is_set_choice, mutated, mutated_as_published, neighbors

CELLS = cell_configuration_space(CELL_SPACES[1])


def space_of(*hyperparameters: Any) -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add(*hyperparameters)
    return space


def changed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [name for name in old.keys() | new.keys() if old.get(name) != new.get(name)]


def shares(values: Iterable[Any]) -> dict[Any, float]:
    counts = Counter(values)
    return {value: count / counts.total() for value, count in counts.items()}


@pytest.mark.parametrize(
    ("number", "swap", "count"),
    [(1, False, 24), (2, False, 25), (3, False, 41), (1, True, 20), (2, True, 21), (3, True, 31)],
)
def test_neighbors_of_a_cell_are_those_of_its_cell_space(number: int, swap: bool, count: int) -> None:
    """What knows nothing of cells finds what the cell space says, as many as in the published codec."""
    cell_space = CELL_SPACES[number]
    space = cell_configuration_space(cell_space)
    cell = cell_space.sample(stream(1, number))
    found = neighbors(space, to_config(cell_space, cell), swap=swap)
    assert len(found) == count
    assert {from_config(cell_space, c) for c in found} == set(cell_space.neighbours(cell, swap=swap))


def test_neighbors_of_numbers_lie_near_on_their_own_scale() -> None:
    rate, batch = Float("rate", (1e-4, 1.0), log=True), Integer("batch", (0, 200))
    space = space_of(rate, batch)
    found = neighbors(space, {"rate": 0.01, "batch": 100})
    places = sorted(float(rate.to_vector(c["rate"])) for c in found if c["batch"] == 100)
    assert places == pytest.approx([0.3, 0.45, 0.55, 0.7])
    assert sorted(c["batch"] for c in found if c["rate"] == 0.01) == [60, 90, 99, 101, 110, 140]
    assert sorted(c["batch"] for c in neighbors(space, {"rate": 0.01, "batch": 200}) if c["rate"] == 0.01) == [
        160,
        190,
        199,
    ]


def test_neighbors_of_an_ordinal_are_next_to_it() -> None:
    space = space_of(OrdinalHyperparameter("width", [8, 16, 32, 64]), Constant("cells", 3))
    assert neighbors(space, {"width": 16, "cells": 3}) == [{"width": 8, "cells": 3}, {"width": 32, "cells": 3}]
    assert neighbors(space, {"width": 64, "cells": 3}) == [{"width": 32, "cells": 3}]


def test_what_a_move_switches_on_or_off() -> None:
    space = mixed_space()
    off = plain(space.get_default_configuration())
    (on,) = (c for c in neighbors(space, off) if c["gate"])
    assert on == {**off, "gate": True, "length": 4}
    assert off in neighbors(space, on)
    lengths = {mutated(space, off, stream(seed), among=lambda name: name == "gate")["length"] for seed in range(60)}
    assert lengths == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("space", [mixed_space(), load_space("darts_robust"), CELLS], ids=["mixed", "robust", "cells"])
def test_moves_stay_legal_and_change_something(space: ConfigurationSpace) -> None:
    config = plain(space.get_default_configuration())
    for seed in range(100):
        for near in neighbors(space, config)[:: 1 + seed]:
            check_config(space, near)
            assert identity(space, near) != identity(space, config)
        moved = mutated(space, config, stream(seed))
        check_config(space, moved)
        assert changed(config, moved)
        config = moved


def test_the_forbidden_is_never_returned() -> None:
    first, second = Categorical("first", ["a", "b", "c"]), Categorical("second", ["a", "b"])
    space = space_of(first, second)
    both = ForbiddenAndConjunction(ForbiddenEqualsClause(first, "a"), ForbiddenEqualsClause(second, "b"))
    space.add(both, ForbiddenEqualsClause(first, "c"))
    assert neighbors(space, {"first": "a", "second": "a"}) == [{"first": "b", "second": "a"}]
    assert {mutated(space, {"first": "a", "second": "a"}, stream(seed))["first"] for seed in range(20)} == {"b"}


def test_a_mutation_draws_the_hyperparameter_and_its_value_evenly() -> None:
    space = space_of(Categorical("op", ["a", "b", "c"]), OrdinalHyperparameter("width", [1, 2, 3, 4]), Constant("k", 1))
    old = {"op": "a", "width": 1, "k": 1}
    rng = stream(3)
    found = [mutated(space, old, rng) for _ in range(3000)]
    assert {len(changed(old, new)) for new in found} == {1}
    moves = shares((new["op"], new["width"]) for new in found)
    assert moves == pytest.approx({("b", 1): 1 / 4, ("c", 1): 1 / 4, **{("a", w): 1 / 6 for w in (2, 3, 4)}}, abs=0.03)


def test_a_number_makes_a_gaussian_step_on_its_own_scale() -> None:
    """A normal distribution cut off at 2.5 standard deviations of 0.2 has one of 0.191."""
    rate = Float("rate", (1e-4, 1.0), log=True)
    rng = stream(4)
    places = [float(rate.to_vector(mutated(space_of(rate), {"rate": 0.01}, rng)["rate"])) for _ in range(1000)]
    assert np.mean(places) == pytest.approx(0.5, abs=0.02)
    assert np.std(places) == pytest.approx(0.191, abs=0.015)


def test_a_whole_number_moves_by_one_at_least() -> None:
    two, many = Integer("two", (1, 2)), Integer("many", (1, 9))
    rng = stream(5)
    assert {mutated(space_of(two), {"two": value}, rng)["two"] for value in [1] * 30} == {2}
    steps = shares(abs(mutated(space_of(many), {"many": 5}, rng)["many"] - 5) for _ in range(500))
    assert steps.keys() == {1, 2, 3, 4}
    assert all(steps[low] > steps[high] for low, high in pairwise(sorted(steps)))


def test_the_published_mutation_keeps_swaps_and_changes_a_third_each() -> None:
    rng = stream(6)
    old = {**plain(CELLS.get_default_configuration()), "parents_output": "1,3"}
    found = [mutated_as_published(CELLS, old, rng) for _ in range(3000)]
    names = shares("".join(changed(old, new)) for new in found)
    third = {f"op_{j}": 1 / 12 for j in (1, 2, 3, 4)} | {f"parents_{j}": 1 / 9 for j in (3, 4, "output")}
    assert names == pytest.approx({"": 1 / 3, **third}, abs=0.03)
    swapped = {new["parents_output"] for new in found} - {"1,3"}
    assert swapped == {"0,1", "1,2", "1,4", "0,3", "2,3", "3,4"}


def test_what_a_set_choice_is() -> None:
    assert [name for name in CELLS if is_set_choice(CELLS[name])] == ["parents_3", "parents_4", "parents_output"]
    for hyperparameter in (Categorical("a", ["0,1"]), Categorical("a", ["1", "x"]), Categorical("a", [1, 2])):
        assert not is_set_choice(hyperparameter)


def test_where_nothing_can_change() -> None:
    space, rng = space_of(Constant("cells", 3)), stream(7)
    assert neighbors(space, {"cells": 3}) == []
    assert mutated(space, {"cells": 3}, rng) == {"cells": 3}


def test_configurations_that_differ_by_rounding_are_one() -> None:
    gate, rate = Categorical("gate", [False, True]), Float("rate", (1.0, 1e4), log=True)
    space = space_of(gate, rate)
    space.add(EqualsCondition(rate, gate, True))
    assert identity(space, {"gate": True, "rate": 1000.0}) == identity(
        space, {"rate": 1000.0000000000001, "gate": True}
    )
    assert identity(space, {"gate": True, "rate": 1000.0}) != identity(space, {"gate": True, "rate": 1000.1})
    assert identity(space, {"gate": False}) != identity(space, {"gate": True, "rate": 1.0})
