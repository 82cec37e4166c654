from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import fields

import pytest

from metaopt.cli.flags import add_flags, given
from metaopt.errors import ConfigError
from metaopt.run_settings import RunConfig
from metaopt.task import SearchTask


def parser() -> ArgumentParser:
    made = ArgumentParser()
    add_flags(made, fields(RunConfig))
    return made


def test_only_what_is_given_is_returned_and_of_its_type() -> None:
    arguments = parser().parse_args(
        ["--space", "2", "--subset", "600", "--tuner-option", "eta=2", "--tuner-option", "a=b"]
    )
    assert given(arguments, SearchTask) == {"cell_space": 2, "subset": 600}
    assert given(arguments, RunConfig) == {"cell_space": 2, "subset": 600, "tuner_options": {"eta": "2", "a": "b"}}


def test_a_value_of_another_type_names_its_flag() -> None:
    with pytest.raises(ConfigError, match="--space must be a whole number, got 'two'"):
        given(parser().parse_args(["--space", "two"]), SearchTask)


def test_help_names_every_default() -> None:
    shown = " ".join(parser().format_help().split())
    assert "--benchmark BENCHMARK image data, cell space and table to search on [digits]" in shown
    assert "[None]" not in shown
