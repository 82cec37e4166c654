from __future__ import annotations

import pickle

import pytest

from metaopt.errors import ConfigError, JournalError, MetaoptError, RunError, TableError, unknown_name


def test_a_near_name_is_suggested() -> None:
    error = unknown_name("tuner", "bhob", ["random", "bohb"], "see the list")
    assert str(error) == "unknown tuner 'bhob'; did you mean 'bohb'? allowed: bohb, random\n  see the list"


def test_a_far_name_is_not() -> None:
    assert str(unknown_name("tuner", "xyz", ["random", "bohb"])) == "unknown tuner 'xyz'; allowed: bohb, random"


@pytest.mark.parametrize("kind", [MetaoptError, ConfigError, TableError, RunError, JournalError])
def test_errors_cross_process_borders(kind: type[MetaoptError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("what", "next")))
    assert type(copy) is kind
    assert (copy.message, copy.hint) == ("what", "next")
