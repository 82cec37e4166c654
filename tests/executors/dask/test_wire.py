from __future__ import annotations

import pytest

from metaopt.executors.dask.wire import LONGEST, Answer, packed, unpacked


def test_an_answer_is_text_and_comes_back() -> None:
    answer = packed(Answer.RESULT, {"valid_error": 0.5})
    assert type(answer) is str
    assert unpacked(answer) == {"result": {"valid_error": 0.5}}


class Text(str):
    """May do anything when it is looked at."""


@pytest.mark.parametrize(
    "answer",
    [None, {}, b"{}", Text("{}"), "", "{", "[]", "{}", '{"a": 1, "b": 2}', "[" * 10**6, '{"a": Infinity}', "9" * 10**5],
)
def test_what_is_none_is_refused(answer: object) -> None:
    with pytest.raises(ValueError, match="it is no"):
        unpacked(answer)


def test_an_answer_has_a_length() -> None:
    with pytest.raises(ValueError, match="characters; allowed"):
        unpacked(" " * (LONGEST + 1))
