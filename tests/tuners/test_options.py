from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import pytest

from metaopt.core.errors import ConfigError
from metaopt.core.registry import load
from metaopt.settings.field import allowed, field, settings_of
from metaopt.spaces.space import load_space
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem, Tuner
from metaopt.tuners.bohb import BOHB
from metaopt.tuners.options import check_options
from metaopt.tuners.random import Random


class Demo(Random):
    """Has an option of every type."""

    @dataclass(frozen=True, kw_only=True)
    class Options(Tuner.Options):
        names: Sequence[str]
        eta: int = field(3, ge=2)
        share: float = field(0.5, gt=0, le=1)
        greedy: bool = False
        kind: str = field("log", choices=("log", "linear", "2"))
        points: int | None = None
        maybe: Sequence[str] | None = None


DEFAULTS = {"eta": 3, "share": 0.5, "greedy": False, "kind": "log", "points": None, "maybe": None}


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ({}, {}),
        ({"eta": 2, "share": 1, "points": 7}, {"eta": 2, "share": 1.0, "points": 7}),
        (
            {"eta": "2", "share": "1e-1", "greedy": "true", "kind": "2", "points": "7"},
            {"eta": 2, "share": 0.1, "greedy": True, "kind": "2", "points": 7},
        ),
        ({"points": "none", "greedy": "False"}, {}),
        ({"names": '["b"]'}, {"names": ["b"]}),
        ({"names": "b"}, {"names": ["b"]}),
        ({"names": "b, c"}, {"names": ["b", "c"]}),
        ({"names": "[b,c]"}, {"names": ["b", "c"]}),
        ({"names": "[]"}, {"names": []}),
        ({"maybe": "b,c"}, {"maybe": ["b", "c"]}),
        ({"maybe": "none"}, {"maybe": None}),
    ],
)
def test_binds(given: dict[str, Any], bound: dict[str, Any]) -> None:
    options = check_options(Demo, {"names": ("a",), **given})
    expected = {"names": ["a"], **DEFAULTS, **bound}
    assert options == expected
    assert [type(options[name]) for name in expected] == [type(value) for value in expected.values()]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"et": 2}, "unknown option 'et'; did you mean 'eta'"),
        ({"seed": 2}, "unknown option 'seed'"),
        ({"eta": 2.0}, "'eta' must be a whole number, got 2.0"),
        ({"eta": "2.0"}, "'eta' must be a whole number, got '2.0'"),
        ({"eta": True}, "'eta' must be a whole number, got True"),
        ({"share": "nan"}, "'share' must be a number, got 'nan'"),
        ({"share": None}, "'share' must be a number, got None"),
        ({"greedy": "yes"}, "'greedy' must be true or false, got 'yes'"),
        ({"greedy": 1}, "'greedy' must be true or false, got 1"),
        ({"kind": 1}, "'kind' must be text, got 1"),
        ({"points": "x"}, "'points' must be a whole number or none, got 'x'"),
        ({"points": [1]}, "'points' must be a whole number or none"),
        ({"names": 3}, "'names' must be a list, got 3"),
        ({"eta": 1}, "eta must be at least 2, got 1"),
        ({"share": "0"}, "share must be more than 0 and at most 1, got 0"),
        ({"kind": "lin"}, "kind must be log, linear or 2, got 'lin'"),
    ],
)
def test_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_options(Demo, {"names": [], **given})


def test_all_errors_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check_options(Demo, {"et": 2, "share": "x"})
    assert all(part in caught.value.message for part in ("'et'", "'share'", "option 'names' is needed"))


def test_documented_defaults_of_bohb() -> None:
    assert check_options(BOHB, {}) == {
        "eta": 2,
        "top_n_percent": 15,
        "num_samples": 64,
        "random_fraction": 1 / 3,
        "bandwidth_factor": 3.0,
        "min_bandwidth": 1e-3,
        "min_points_in_model": None,
    }
    assert check_options(Random, {}) == {}


@pytest.mark.parametrize("path", TUNERS.values(), ids=list(TUNERS))
def test_every_option_can_be_set_and_explains_itself(path: str) -> None:
    options = load(path).Options
    assert settings_of(options) == fields(options)


@pytest.mark.parametrize("name", TUNERS)
def test_values_out_of_range_are_refused(name: str) -> None:
    tuner = load(TUNERS[name])
    for option in fields(tuner.Options):
        limits = option.metadata
        assert limits["choices"] or "None" in option.type or "bool" in option.type or allowed(limits), option.name
        wrong = {"ge": lambda low: low - 1, "gt": lambda low: low, "le": lambda high: high + 1}
        for limit, beyond in wrong.items():
            if limits[limit] is not None:
                value = beyond(limits[limit])
                with pytest.raises(ConfigError, match=f"{option.name} must be .*, got {value}"):
                    check_options(tuner, {option.name: value})
                with pytest.raises(ConfigError, match=f"{option.name} must be .*, got {value}"):
                    tuner(Problem(load_space("darts_cs1"), 0, 1, 1), **{option.name: value})


@pytest.mark.parametrize("value", [10**30, "1" + "0" * 30, 100_001, -(10**6)])
def test_options_have_limits(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"option 'eta' (is .*; allowed: at most 100000|must be)"):
        check_options(Demo, {"eta": value, "names": []})
