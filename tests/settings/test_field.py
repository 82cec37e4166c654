from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pytest

from metaopt.settings.field import beyond_limits, convert, flag, setting


@dataclass(frozen=True, kw_only=True)
class Settings:
    number: int = setting(1, "a number", lowest=0)
    limit: float | None = setting(None, "a limit", "--limit-s", lowest=1)
    name: str = setting("a", "a name")
    options: Mapping[str, Any] = setting({}, "options")


def test_flags_are_names_unless_said_otherwise() -> None:
    assert [flag(of) for of in fields(Settings)] == ["--number", "--limit-s", "--name", "--options"]


def test_instances_share_no_mapping() -> None:
    assert Settings().options is not Settings().options


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("number", "3", 3),
        ("number", 3, 3),
        ("limit", "2.5", 2.5),
        ("limit", 2, 2.0),
        ("limit", None, None),
        ("name", "b", "b"),
        ("options", ["a=1", "b=c=d"], {"a": "1", "b": "c=d"}),
        ("options", "a=1,b=2", {"a": "1", "b": "2"}),
        ("options", {"a": 1}, {"a": 1}),
    ],
)
def test_text_becomes_a_value_of_its_type(name: str, text: Any, value: Any) -> None:
    assert convert(text, Settings, name) == value
    assert type(convert(text, Settings, name)) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("number", "3.5", "a whole number"),
        ("number", True, "a whole number"),
        ("limit", "soon", "a number"),
        ("name", 5, "text"),
        ("options", "a", "name=value pairs"),
        ("options", 3, "name=value pairs"),
    ],
)
def test_what_is_of_another_type_is_refused(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"^{wanted}$"):
        convert(value, Settings, name)


@pytest.mark.parametrize("text", ["1_0", "\u0661", "0x10", "9" * 5000, "1e3", ""])
def test_a_whole_number_is_written_as_everybody_writes_it(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number"):
        convert(text, Settings, "number")


def test_numbers_that_are_too_high_are_named() -> None:
    found = [str(error) for error in beyond_limits(Settings(number=10**5000, limit=float("inf")))]
    assert "number is a number of 16610 bits; allowed: at most 1000000000" in found[0]
    assert "limit is inf; allowed: at most 1000000000" in found[1]


def test_numbers_that_are_too_low_are_named() -> None:
    assert list(beyond_limits(Settings())) == []
    first, second = map(str, beyond_limits(Settings(number=-1, limit=float("nan"))))
    assert "number is -1; allowed: 0 or more" in first
    assert "limit is nan; allowed: 1 or more" in second
    assert "change --limit-s" in second
