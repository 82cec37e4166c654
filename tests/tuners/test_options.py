from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import pytest
from ConfigSpace import ConfigurationSpace

from metaopt.core.errors import ConfigError
from metaopt.core.registry import load
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Tuner
from metaopt.tuners.bohb import BOHB
from metaopt.tuners.options import check_options, option_defaults
from metaopt.tuners.random import Random


class Demo(Tuner):
    """Has an option of every type."""

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        seed: int,
        min_epochs: int,
        max_epochs: int,
        names: Sequence[str],
        eta: int = 3,
        share: float = 0.5,
        greedy: bool = False,
        kind: str = "log",
        points: int | None = None,
        maybe: Sequence[str] | None = None,
    ) -> None:
        raise NotImplementedError


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
def test_every_option_is_keyword_only_and_documented(path: str) -> None:
    tuner = load(path)
    parameters = inspect.signature(tuner.__init__).parameters
    documented = "".join(base.__doc__ or "" for base in tuner.__mro__ if base is not object)
    for name in option_defaults(tuner):
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert f" {name}: " in documented


@pytest.mark.parametrize("value", [10**30, "1" + "0" * 30, 100_001, -(10**6)])
def test_options_have_limits(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"option 'eta' (is .*; allowed: at most 100000|must be)"):
        check_options(Demo, {"eta": value, "names": []})
