from __future__ import annotations

import pytest

from metaopt.wording import counted


@pytest.mark.parametrize(("number", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs")])
def test_one_is_singular(number: int, text: str) -> None:
    assert counted(number, "epoch") == text
