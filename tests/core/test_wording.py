from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from metaopt.core.wording import command, counted, differences, listed, shown


@pytest.mark.parametrize(("number", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs")])
def test_one_is_singular(number: int, text: str) -> None:
    assert counted(number, "epoch") == text


@pytest.mark.parametrize("value", [None, True, -3, 0.1, "a\nb", [1, "x"], {"b": 2, "a": [None]}, (1,)])
def test_a_short_value_is_shown_as_python_writes_it(value: object) -> None:
    assert shown(value) == (repr(value) if value != {"b": 2, "a": [None]} else "{'a': [None], 'b': 2}")


def holds_itself() -> list[object]:
    value: list[object] = []
    for _ in range(9):
        value.append(value)
    return value


def test_no_value_is_shown_at_length() -> None:
    for value in ("x" * 10**6, 10**5000, list(range(10**5)), dict.fromkeys(range(10**4)), holds_itself(), b"y" * 10**6):
        assert 20 <= len(shown(value)) <= 310


@pytest.mark.parametrize(
    "word",
    [
        "plain",
        "a b",
        "it's",
        '"',
        "$HOME",
        "`id`",
        "a;b",
        "*",
        "",
        "学习",
        "line\nline",
        "\x1b[31m",
        "tab\t'\\",
        "\udcff",
    ],
)
def test_a_command_arrives_as_it_was_meant(word: str) -> None:
    text = command("resume", word)
    assert text.isprintable() or word == "学习"
    script = text.replace("metaopt resume", "printf %s", 1)
    said = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    assert said.decode("utf-8", "surrogateescape") == word


def test_a_path_is_no_option() -> None:
    assert command("resume", Path("-x")) == "metaopt resume ./-x"
    assert command("compare", Path("a b"), "--no-run") == "metaopt compare 'a b' --no-run"


@pytest.mark.parametrize(
    ("numbers", "text"), [([], "no epochs"), ([1], "1 epoch"), ([8], "8 epochs"), ([1, 2, 4], "1, 2, 4 epochs")]
)
def test_lists_are_of_one_or_more(numbers: list[int], text: str) -> None:
    assert listed(numbers, "epoch") == text


def test_some_plurals_are_not_the_singular_with_an_s() -> None:
    assert (counted(1, "search", "searches"), counted(2, "search", "searches")) == ("1 search", "2 searches")


def test_differences_are_of_what_is_wanted() -> None:
    assert differences({"budget": 5, "seed": 1, "other": 2}, {"budget": 3, "seed": 1, "new": "x"}) == [
        "budget 5 and not 3",
        "new None and not 'x'",
    ]
