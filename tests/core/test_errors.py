from __future__ import annotations

import pickle

import pytest

from metaopt.core.errors import (
    CellError,
    ConfigError,
    JournalError,
    MetaoptError,
    RunError,
    TableError,
    raise_together,
    unknown_name,
)


def test_a_near_name_is_suggested() -> None:
    error = unknown_name("tuner", "bhob", ["random", "bohb"], "see the list")
    assert str(error) == "unknown tuner 'bhob'; did you mean 'bohb'? allowed: bohb, random\n  see the list"


def test_a_far_name_is_not() -> None:
    assert str(unknown_name("tuner", "xyz", ["random", "bohb"])) == "unknown tuner 'xyz'; allowed: bohb, random"


def test_swapped_letters_of_a_short_name_are_near() -> None:
    assert "did you mean 'eta'?" in str(unknown_name("option", "eat", ["eta", "rate"]))


@pytest.mark.parametrize(("given", "other"), [("perturb", "temperature_end"), ("temperature", "perturb")])
def test_a_word_with_some_of_the_same_letters_is_not_near(given: str, other: str) -> None:
    assert "did you mean" not in str(unknown_name("hyperparameter", given, [other]))


@pytest.mark.parametrize("kind", [MetaoptError, ConfigError, CellError, TableError, RunError, JournalError])
def test_errors_cross_process_borders(kind: type[MetaoptError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("what", "next")))
    assert type(copy) is kind
    assert (copy.message, copy.hint) == ("what", "next")


def test_no_message_is_endless() -> None:
    error = ConfigError("a" * 10**6, "b" * 10**6)
    assert len(str(error)) < 9000
    assert str(error).startswith("aaa")
    assert "(996050 more characters)" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_several_errors_are_raised_as_one() -> None:
    raise_together([])
    with pytest.raises(JournalError):
        raise_together([JournalError("one keeps its kind")])
    with pytest.raises(ConfigError) as caught:
        raise_together([ConfigError("a", "b"), ConfigError("c")])
    assert caught.value.message == "2 settings cannot be used:\n- a\n    b\n- c"


def test_a_setting_is_named_as_it_is_given() -> None:
    error = ConfigError("{--min_epochs} is 5", "change {--min_epochs} or {--max_epochs}")
    assert str(error) == "--min-epochs is 5\n  change --min-epochs or --max-epochs"
    assert str(error.naming(str)) == "min_epochs is 5\n  change min_epochs or max_epochs"
    kept = {"min_epochs": "MIN"}
    half = error.naming(lambda name: kept.get(name, f"{{--{name}}}"))
    assert half.hint == "change MIN or --max-epochs"
    with pytest.raises(ConfigError) as caught:
        raise_together([half, error])
    assert "change MIN or max_epochs\n" in caught.value.naming(str).message
