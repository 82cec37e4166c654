from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from metaopt.core.errors import flag
from metaopt.settings.field import check, convert, field, modern, settings_of


@dataclass(frozen=True, kw_only=True)
class Settings:
    number: int = field(1, "a number", ge=0)
    limit_s: float | None = field(None, "a limit", ge=1, le=50, formerly=("--limit", "seconds"))
    rate: float = field(0.5, gt=0)
    name: str = field("alpha", "a name", choices=("alpha", "beta", "gamma"))
    space: int = field(1, choices=(1, 2))
    exact: bool = False
    options: Mapping[str, Any] = field({}, "options")
    lines: tuple[str, ...] = ()


def test_flags_are_names() -> None:
    assert [flag(field.name) for field in settings_of(Settings)] == ["--number", "--limit-s", "--name", "--options"]


def test_instances_share_no_mapping() -> None:
    assert Settings().options is not Settings().options


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (int, 3, 3),
        (float | None, "2.5", 2.5),
        (float | None, 2, 2.0),
        (float | None, None, None),
        (float | None, "none", None),
        (str, "b", "b"),
        (str, "2", "2"),
        (bool, "True", True),
        (Mapping[str, Any], ["a=1", "b=c=d"], {"a": "1", "b": "c=d"}),
        (Mapping[str, Any], "a=1,b=2", {"a": "1", "b": "2"}),
        (Mapping[str, Any], {"a": 1}, {"a": 1}),
        (Sequence[str], "['b', c]", ["b", "c"]),
        (Sequence[str] | None, "none", None),
        (Sequence[int], (1,), [1]),
        (tuple[str, ...], ["a, b"], ("a, b",)),
    ],
)
def test_text_becomes_a_value_of_its_type(annotation: Any, text: Any, value: Any) -> None:
    assert convert(text, annotation) == value
    assert type(convert(text, annotation)) is type(value)


@pytest.mark.parametrize(
    ("annotation", "value", "wanted"),
    [
        (int, "3.5", "a whole number"),
        (int, True, "a whole number"),
        (int, None, "a whole number"),
        (float | None, "soon", "a number or none"),
        (float, "inf", "a number"),
        (float, float("nan"), "a number"),
        (str, 5, "text"),
        (bool, "yes", "true or false"),
        (Mapping[str, Any], "a", "name=value pairs"),
        (Mapping[str, Any], 3, "name=value pairs"),
        (Sequence[str], 3, "a list"),
        (tuple[str, ...], "a, b", "a list"),
        (tuple[str, ...], [1], "a list"),
    ],
)
def test_what_is_of_another_type_is_refused(annotation: Any, value: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"^{wanted}$"):
        convert(value, annotation)


@pytest.mark.parametrize("text", ["1_0", "\u0661", "0x10", "9" * 5000, "1e3", ""])
def test_a_whole_number_is_written_as_everybody_writes_it(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number"):
        convert(text, int)


def test_text_is_not_always_something_else() -> None:
    assert convert(2, float, parse=False) == 2
    for text, annotation in (("3", int), ("true", bool), ("none", int | None), ("a=1", Mapping[str, Any])):
        with pytest.raises(ValueError, match=r"whole|true|none|pairs"):
            convert(text, annotation, parse=False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"number": -1}, "number must be at least 0, got -1"),
        ({"number": "1"}, "number must be a whole number, got '1'"),
        ({"number": 10**5000}, "number must be at most 1000000000, got a number of 16610 bits"),
        ({"number": None}, "number must be a whole number, got None"),
        ({"limit_s": float("nan")}, "limit_s must be a number or none, got nan"),
        ({"limit_s": 51}, r"limit_s must be in [1, 50], got 51"),
        ({"rate": 0}, "rate must be more than 0, got 0"),
        ({"limit_s": 1e300}, "limit_s must be in [1, 50], got 1e+300"),
        ({"name": "betta"}, "name must be alpha, beta or gamma, got 'betta'; did you mean 'beta'?"),
        ({"space": 3}, "space must be 1 or 2, got 3"),
        ({"exact": 1}, "exact must be true or false, got 1"),
    ],
)
def test_what_is_out_of_range_is_named(given: dict[str, Any], message: str) -> None:
    assert [error.message for error in check(Settings(**given))] == [message]


def test_every_mistake_is_found_and_says_what_to_change() -> None:
    assert list(check(Settings(limit_s=3, rate=1e30, lines=("a",)))) == []
    first, second = check(Settings(limit_s=0.5, name="x"))
    assert (first.hint, second.hint) == ("change --limit-s", "change --name")
    assert first.naming(lambda name: f"{name} in run.yaml").hint == "change limit_s in run.yaml"


def test_former_names_still_mean_the_setting(capsys: pytest.CaptureFixture[str]) -> None:
    fields = settings_of(Settings)
    assert modern({"seconds": 3, "number": 1, "x": 0, 7: 8}, fields, "a.yaml") == {
        "limit_s": 3, "number": 1, "x": 0, 7: 8,
    }  # fmt: skip
    assert capsys.readouterr().err == (
        "metaopt: note: seconds in a.yaml is called limit_s now; the next version takes limit_s only\n"
    )
    both = {"seconds": 3, "limit_s": 4}
    assert modern(both, fields, "a.yaml") == both, "which is refused as an unknown setting"
    assert modern({"M_SECONDS": 3}, fields, "the environment", lambda name: f"M_{name.upper()}") == {"M_LIMIT_S": 3}
    assert "M_SECONDS in the environment is called M_LIMIT_S now" in capsys.readouterr().err
