from __future__ import annotations

import dataclasses
import math
import warnings
from collections import Counter
from typing import Any

from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, ForbiddenLessThanRelation, Integer

from metaopt.spaces.space import load_space, plain, space_from_json
from metaopt.tuners.base import Problem
from metaopt.tuners.design import Design


def design(space: str | ConfigurationSpace = "darts2", *, seed: int = 3, **options: Any) -> Design:
    where = load_space(space) if isinstance(space, str) else space
    return Design(Problem(where, seed, 3, 27), **options)


def test_every_eighth_point_is_searched_four_times_the_default_first() -> None:
    tuner = design()
    trials = tuner.ask(11 * 91)
    searches = Counter(trial.key for trial in trials)
    assert len(searches) == 8 * 91
    assert {searches[key] for key in range(91)} == {4}
    assert {searches[key] for key in searches if key >= 91} == {1}
    default = plain(tuner.space.get_default_configuration())
    assert trials[0].config == trials[8].config == default
    assert len({trial.seed for trial in trials}) == len(trials)
    assert {trial.epochs for trial in trials} == {27}


def test_repeated_points_are_as_even_as_all_of_them() -> None:
    trials = design().ask(11 * 65)
    searches = Counter(trial.key for trial in trials)
    configs = {trial.key: trial.config for trial in trials}
    repeated = [configs[key] for key in range(1, 65)]
    assert {searches[key] for key in range(1, 65)} == {4}
    for some in (repeated, [configs[key] for key in range(1, 513)]):
        assert sum(bool(config["cutout"]) for config in some) == len(some) / 2
        for name, middle in (("learning_rate", math.sqrt(1e-3)), ("momentum", 0.495), ("weight_decay", 1e-4)):
            assert sum(float(config[name]) < middle for config in some) == len(some) / 2, name


def test_points_are_more_even_than_draws_in_every_plane() -> None:
    space = ConfigurationSpace()
    space.add(Float("x", (0.0, 1.0)), Float("y", (1e-4, 1.0), log=True))
    points = [trial.config for trial in design(space, repeats=1).ask(257)[1:]]
    boxes = Counter((int(16 * float(p["x"])), int(-4 * math.log10(float(p["y"])))) for p in points)
    assert set(boxes.values()) == {1}
    assert len(boxes) == 256


def test_a_longer_run_goes_on_with_the_same_sequence() -> None:
    assert design().ask(500)[:200] == design().ask(200)
    short = design()
    resumed = design()
    resumed.replay(short.ask(200))
    assert resumed.ask(300) == design().ask(500)[200:]


def test_another_seed_scrambles_another_way() -> None:
    first, other = ([trial.config for trial in design(seed=seed).ask(8)[1:]] for seed in (3, 4))
    assert not [config for config in first if config in other]


def test_replay_takes_the_logged_configuration_and_repeats_it() -> None:
    logged = design(repeats=2, every=2).ask(3)
    moved = dataclasses.replace(logged[1], config={**logged[1].config, "learning_rate": 0.125})
    tuner = design(repeats=2, every=2)
    tuner.replay([logged[0], moved, logged[2]])
    later = tuner.ask(3)
    assert later[:2] == design(repeats=2, every=2).ask(5)[3:]
    assert (later[2].key, later[2].config) == (1, moved.config)


def test_what_is_forbidden_is_passed_over_and_what_is_off_is_left_out() -> None:
    x, y, gate, size = (
        Float("x", (0, 1), default=0.9),
        Float("y", (0, 1)),
        Categorical("g", [0, 1]),
        Integer("n", (1, 4)),
    )
    space = ConfigurationSpace()
    space.add(x, y, gate, size)
    space.add(EqualsCondition(size, gate, 1), ForbiddenLessThanRelation(x, y))
    configs = [trial.config for trial in design(space, repeats=1).ask(401)[1:]]
    assert all(float(config["x"]) >= float(config["y"]) for config in configs)
    assert abs(sum("n" in config for config in configs) - 200) < 20
    sizes = Counter(config.get("n") for config in configs)
    assert all(35 < sizes[n] < 65 for n in range(1, 5))


def test_priors_and_weights_are_kept() -> None:
    items: list[dict[str, Any]] = [
        {"name": "normal", "type": "normal_float", "lower": 0.0, "upper": 1.0, "mu": 0.5, "sigma": 0.1},
        {"name": "whole", "type": "beta_int", "lower": 0, "upper": 9, "alpha": 4, "beta": 4},
        {"name": "letter", "type": "categorical", "choices": ["a", "b"], "weights": [3, 1]},
    ]
    configs = [trial.config for trial in design(space_from_json({"hyperparameters": items}), repeats=1).ask(401)[1:]]
    within = sum(0.4 < float(config["normal"]) < 0.6 for config in configs)
    assert abs(within / 400 - 0.683) < 0.02
    assert sum(3 <= int(config["whole"]) <= 6 for config in configs) > 250
    assert abs(sum(config["letter"] == "a" for config in configs) - 300) < 6


def test_a_configuration_that_comes_again_keeps_its_key() -> None:
    space = ConfigurationSpace()
    space.add(Categorical("a", [1, 2]), Categorical("b", [1, 2]))
    keys = {tuple(trial.config.items()): trial.key for trial in design(space).ask(60)}
    assert len(keys) == 4
    assert len(set(keys.values())) == 4


def test_no_warning_is_given() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        design().ask(300)
