from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import fields

import pytest

from metaopt.cli.flags import add_flags, given, seed, whole
from metaopt.core.errors import ConfigError
from metaopt.settings.run import BaselineSettings, TuneSettings
from metaopt.settings.search import SearchTask


def parser() -> ArgumentParser:
    made = ArgumentParser()
    add_flags(made, fields(TuneSettings), {"optimizer": ["darts", "gdas"]})
    return made


def test_only_what_is_given_is_returned_and_of_its_type() -> None:
    words = "--cell-space 2 --subset 600 --tuner-options eta=2 a=b --space mine.yaml --tuner-options c=d"
    arguments = parser().parse_args(words.split())
    assert given(arguments, SearchTask) == {"cell_space": 2, "subset": 600}
    options = {"eta": "2", "a": "b", "c": "d"}
    assert given(arguments, TuneSettings) == {
        "cell_space": 2, "subset": 600, "tuner_options": options, "space": "mine.yaml",
    }  # fmt: skip


def test_a_value_of_another_type_names_its_flag() -> None:
    with pytest.raises(ConfigError, match="--cell-space must be a whole number, got 'two'"):
        given(parser().parse_args(["--cell-space", "two"]), SearchTask)


@pytest.mark.parametrize(
    ("words", "values", "note"),
    [
        ("--space 2", {"cell_space": 2}, "--space 2 is called --cell-space 2 now"),
        ("--hyperparameters gdas", {"space": "gdas"}, "--hyperparameters is called --space now"),
        ("--run there", {"folder": "there"}, "--run is called --folder now"),
        ("--time-limit 9", {"time_limit_s": 9.0}, "--time-limit is called --time-limit-s now"),
        (
            "--tuner-option a=1 --tuner-options b=2 --tuner-option c=3",
            {"tuner_options": {"a": "1", "b": "2", "c": "3"}},
            "--tuner-option is called --tuner-options now",
        ),
    ],
)
def test_former_flags_are_accepted_with_a_note(
    words: str, values: dict[str, object], note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert given(parser().parse_args(words.split()), TuneSettings) == values
    assert note in capsys.readouterr().err


def test_where_no_hyperparameters_are_tuned_space_is_still_the_cell_space(capsys: pytest.CaptureFixture[str]) -> None:
    made = ArgumentParser()
    add_flags(made, fields(BaselineSettings))
    assert given(made.parse_args(["--space", "3"]), BaselineSettings) == {"cell_space": 3}
    assert "--space is called --cell-space now" in capsys.readouterr().err


def test_help_names_every_default_and_choice_in_groups() -> None:
    shown = " ".join(parser().format_help().split())
    assert "--benchmark BENCHMARK image data, cell space and table to search on (default: digits)" in shown
    assert "--cell-space {1,2,3} cell space of the benchmark (default: 1)" in shown
    assert "--workers WORKERS evaluations at a time (default: number of cores)" in shown
    assert "one-shot optimizer to tune: darts, gdas (required)" in shown
    assert "budget: --budget BUDGET evaluations that the run may use --budget-epochs" in shown
    assert not {"None)", "--run", "--hyperparameters"} & set(shown.split())


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
