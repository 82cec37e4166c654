from __future__ import annotations

import pytest

from metaopt.wording import counted, shortened


@pytest.mark.parametrize(("number", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs")])
def test_one_is_singular(number: int, text: str) -> None:
    assert counted(number, "epoch") == text


def test_a_long_text_is_shortened_and_control_characters_are_spelled_out() -> None:
    assert shortened("a\nb") == r"'a\nb'"
    assert shortened("a" * 5 + "b" * 100_000 + "c" * 5, most=10) == "'aaaaa'...'ccccc' (100010 characters)"
