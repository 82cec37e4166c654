from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.cli import names
from metaopt.core.errors import MetaoptError


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (names.benchmark, "digits"),
        (names.optimizer, "darts"),
        (names.tuner, "bohb"),
        (names.space, "darts_cs1"),
        (names.space, "2"),
    ],
)
def test_a_name_that_there_is(check: Callable[[str], str], good: str) -> None:
    assert check(good) == good


@pytest.mark.parametrize(
    ("check", "bad", "message"),
    [
        (names.benchmark, "digit", "unknown benchmark 'digit'; did you mean 'digits'"),
        (names.optimizer, "drats", "unknown one-shot optimizer 'drats'; did you mean 'darts'"),
        (names.tuner, "bohbb", "unknown tuner 'bohbb'; did you mean 'bohb'"),
        (names.space, "dart", "unknown space 'dart'; did you mean 'darts'"),
        (names.space, "none.yaml", "no such file: none.yaml"),
        (names.run_folder, "none", "there is no run folder none"),
        (names.study_file, "none", "no such file: none"),
        (names.study_file, ".", "the folder . has no study.yaml"),
    ],
)
def test_a_name_that_there_is_not(check: Callable[[str], object], bad: str, message: str) -> None:
    with pytest.raises(MetaoptError) as caught:
        check(bad)
    assert message in str(caught.value)
    assert caught.value.hint


def test_a_study_by_its_folder_or_its_file() -> None:
    Path("mine").mkdir()
    file = Path("mine/study.yaml")
    file.touch()
    assert names.study_file("mine") == names.study_file("mine/study.yaml") == file
