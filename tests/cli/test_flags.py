from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import fields

import pytest

from metaopt.cli.flags import add_flags, given, seed, whole
from metaopt.core.errors import ConfigError
from metaopt.settings.run import TuneSettings
from metaopt.settings.search import SearchTask


def parser() -> ArgumentParser:
    made = ArgumentParser()
    add_flags(made, fields(TuneSettings))
    return made


def test_only_what_is_given_is_returned_and_of_its_type() -> None:
    arguments = parser().parse_args(
        ["--space", "2", "--subset", "600", "--tuner-option", "eta=2", "--tuner-option", "a=b"]
    )
    assert given(arguments, SearchTask) == {"cell_space": 2, "subset": 600}
    assert given(arguments, TuneSettings) == {"cell_space": 2, "subset": 600, "tuner_options": {"eta": "2", "a": "b"}}


def test_a_value_of_another_type_names_its_flag() -> None:
    with pytest.raises(ConfigError, match="--space must be a whole number, got 'two'"):
        given(parser().parse_args(["--space", "two"]), SearchTask)


def test_help_names_every_default() -> None:
    shown = " ".join(parser().format_help().split())
    assert "--benchmark BENCHMARK image data, cell space and table to search on [digits]" in shown
    assert "[None]" not in shown


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("-1", -1), ("1000000000", 10**9)])
def test_whole_numbers_of_flags(text: str, value: int) -> None:
    assert whole(text) == value


@pytest.mark.parametrize("text", ["1_0", "9" * 5000, "1000000001", "x", "1.5", "0x1"])
def test_whole_numbers_of_flags_have_limits(text: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        whole(text)
    assert len(str(caught.value)) < 400


def test_a_seed_may_be_larger() -> None:
    assert seed(str(2**63 - 1)) == 2**63 - 1
    with pytest.raises(ArgumentTypeError, match="allowed: at most 9223372036854775807"):
        seed(str(2**63))
