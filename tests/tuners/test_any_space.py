"""Every tuner in random spaces: what it asks for is what the file says, and a run cut anywhere goes on the same."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from ConfigSpace import Configuration
from hypothesis import HealthCheck, Phase, given, settings

from metaopt.core.errors import ConfigError
from metaopt.core.registry import load
from metaopt.core.trial import Result, Trial
from metaopt.runs.journal import JournalWriter, read
from metaopt.spaces.exact import Space
from metaopt.spaces.optuna import distribution
from metaopt.spaces.space import check_config, plain, space_from_json, space_to_json
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem, Tuner
from metaopt.tuners.shared.encoding import one_hot
from metaopt.tuners.shared.neighbors import mutated, neighbors
from random_spaces import spaces, what_is_wrong

Made = TypeVar("Made")

# Options with which a dozen trials reach every part of a tuner.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "bananas": {"n_initial": 3, "batch": 2, "candidates": 8, "members": 2},
    "bohb": {"num_samples": 4, "random_fraction": 0.1},
    "design": {"every": 2, "repeats": 2},
    "grid": {"points": 2},
    "hyperband": {},
    "local_search": {"n_starts": 2},
    "random": {},
    "re": {"population": 3, "tournament": 2},
    "reinforce": {"bins": 3},
    "smac": {"n_initial": 3, "retrain_after": 3, "challengers": 5},
    "smac_mf": {"min_trials": 2, "retrain_after": 3, "challengers": 5},
    "tpe": {"startup": 3},
    "tpe_hb": {"startup": 2},
}
HEAVY = ("bananas", "smac", "smac_mf")
CHEAP = tuple(name for name in OPTIONS if name not in HEAVY)


def test_every_tuner_is_here() -> None:
    assert set(OPTIONS) == set(TUNERS)


def number_of(data: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(data, sort_keys=True).encode())


def tuners_for(data: Mapping[str, Any], heavy_every: int) -> list[str]:
    """One that is cheap, and now and then one that is not; the same ones whenever the space comes again."""
    number = number_of(data)
    chosen = [CHEAP[number % len(CHEAP)]]
    return chosen + ([HEAVY[number // 1000 % len(HEAVY)]] if number // 7 % heavy_every == 0 else [])


def result_of(trial: Trial) -> Result:
    """Any result that depends on the configuration; one in eight crashes."""
    number = number_of(trial.config)
    return Result(trial.id, "crashed") if number % 8 == 0 else Result(trial.id, "ok", number % 97 / 97, cost_s=1.0)


def asked(tuner: Tuner, data: Mapping[str, Any], n: int, waiting: list[Trial]) -> list[Trial | Result]:
    """Asks ``n`` times with two trials in flight, and returns what happened."""
    events: list[Trial | Result] = []
    for _ in range(n):
        found = tuner.ask()
        for trial in found:
            assert what_is_wrong(data, trial.config) == "", trial
            check_config(tuner.space, trial.config)
        events += found
        waiting += found
        if len(waiting) > 1 or not found:
            if not waiting:
                break
            result = result_of(waiting.pop(len(events) % len(waiting)))
            tuner.tell(result)
            events.append(result)
    return events


def or_refused(make: Callable[[], Made]) -> Made | str:
    """Returns what is made, or the message with which it is refused."""
    try:
        return make()
    except ConfigError as error:
        return error.message


def check_tuner(name: str, data: Mapping[str, Any], space: Space, path: Path) -> None:
    n = {"bohb": 14, "smac": 5, "smac_mf": 5}.get(name, 8)
    budgets = number_of(data) % 1000, 1 if number_of(data) % 2 else 4, 4
    made = or_refused(lambda: load(TUNERS[name])(Problem(space, *budgets), **OPTIONS[name]))
    if isinstance(made, str):
        assert name in ("bohb", "smac", "smac_mf")
        assert f"{name[:4]} takes no" in made
        return
    tuner = made
    waiting: list[Trial] = []
    events = asked(tuner, data, n, waiting)
    path.unlink(missing_ok=True)
    writer = JournalWriter(path)
    writer.header({"space": space_to_json(space)})
    for event in events:
        (writer.ask if isinstance(event, Trial) else writer.tell)(0.0, event)  # type: ignore[arg-type]
    writer.close()
    recorded = read(path)
    assert [event.record for event in recorded.events] == events
    assert repr([event.record for event in recorded.events]) == repr(events)
    again = load(TUNERS[name])(Problem(space_from_json(recorded.header["space"]), *budgets), **OPTIONS[name])
    again.replay(event.record for event in recorded.events)
    assert asked(again, data, 4, [*waiting]) == asked(tuner, data, 4, waiting)


def is_nearly(value: Any, other: Any, of: Any) -> bool:
    """Returns whether a value is the other, but for what the place of a number on its scale rounds away."""
    return value == other or (type(other) is float and bool(abs(value - other) < 1e-9 * (of.upper - of.lower)))


def check_space(data: Mapping[str, Any]) -> Space | None:
    """Checks all that a space is by itself; returns None for one that is refused."""
    space = or_refused(lambda: space_from_json(data))
    if isinstance(space, str):
        assert "ConfigSpace refuses" not in space or "orbidden" in space, space
        return None
    written = json.loads(json.dumps(space_to_json(space)))
    assert json.dumps(space_to_json(space_from_json(written))) == json.dumps(written)
    space.seed(0)
    drawn = [plain(config) for config in space.sample_configuration(6)]
    default = plain(space.get_default_configuration())
    for config in [default, *drawn]:
        assert what_is_wrong(data, config) == "", config
        check_config(space, config)
        places = Configuration(space, values=config).get_array()
        again = plain(Configuration(space, vector=places))
        assert again.keys() == config.keys()
        assert all(is_nearly(again[name], value, space[name]) for name, value in config.items())
        assert all(
            distribution(space[k])._contains(distribution(space[k]).to_internal_repr(v)) for k, v in config.items()
        )
    rows = one_hot(space, drawn)
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()
    assert (rows <= 1 + 1e-9).all()
    rng = np.random.default_rng(0)
    for config in [*neighbors(space, drawn[0]), *(mutated(space, drawn[1], rng) for _ in range(3))]:
        assert what_is_wrong(data, config) == "", config
        check_config(space, config)
    return space


@pytest.mark.parametrize("name", TUNERS)
def test_every_tuner_comes_to_an_end_where_little_is_legal(name: str) -> None:
    """One draw in 600 is legal."""
    numbers = [{"name": n, "type": "uniform_float", "lower": 0, "upper": 1, "default_value": 0.01} for n in "xy"]
    clauses = [{"type": "CLAUSE_GT", "name": n, "value": 0.04} for n in "xy"]
    data = {"hyperparameters": numbers, "conditions": [], "forbiddens": clauses}
    tuner = load(TUNERS[name])(Problem(space_from_json(data), 0, 4, 4), **OPTIONS[name])
    asked(tuner, data, 8, [])


def play(n_spaces: int, heavy_every: int, path: Path) -> Counter[str]:
    """Returns how many spaces were taken, and in how many of them each tuner was tried."""
    tried: Counter[str] = Counter()

    @settings(
        max_examples=n_spaces,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(spaces())
    def check(data: dict[str, Any]) -> None:
        if (space := check_space(data)) is not None:
            chosen = tuners_for(data, heavy_every)
            tried.update(["spaces", *chosen])
            for name in chosen:
                check_tuner(name, data, space, path)

    check()
    return tried


def test_a_hundred_spaces(tmp_path: Path) -> None:
    assert play(110, 12, tmp_path / "journal.jsonl")["spaces"] >= 80


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_thousand_spaces(tmp_path: Path) -> None:
    tried = play(2700, 12, tmp_path / "journal.jsonl")
    assert tried["spaces"] >= 2000
    assert min(tried[name] for name in CHEAP) >= 180
    assert min(tried[name] for name in HEAVY) >= 40
