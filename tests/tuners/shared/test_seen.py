from __future__ import annotations

from itertools import count

from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer

from metaopt.tuners.shared.seen import Seen


def test_remembers_configurations_whatever_their_order_and_rounding() -> None:
    space = ConfigurationSpace()
    space.add(Float("rate", (0.0, 1.0)), Integer("k", (1, 3)))
    seen = Seen(space, [{"rate": 0.3, "k": 1}])
    assert {"k": 1, "rate": 0.1 + 0.2} in seen
    assert {"rate": 0.3, "k": 2} not in seen
    seen.add({"rate": 0.3, "k": 2})
    assert {"rate": 0.3, "k": 2} in seen


def test_draws_until_something_is_new() -> None:
    space = ConfigurationSpace()
    space.add(Integer("k", (0, 100)))
    seen, numbers = Seen(space, [{"k": k} for k in range(5)]), count()
    assert seen.other(lambda: {"k": next(numbers)}) == {"k": 5}


def test_finds_the_last_ones_of_a_small_space() -> None:
    space = ConfigurationSpace()
    space.add(Categorical("op", ["a", "b", "c"]), Integer("k", (1, 7)))
    seen, found = Seen(space, [{"op": "a", "k": 1}]), []
    while (config := seen.other(lambda: {"op": "a", "k": 1})) is not None:
        assert config not in seen
        seen.add(config)
        found.append(config)
    assert len(found) == 20
