from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.objectives.kept import CHECKPOINT, spent_s
from metaopt.oneshot.checkpoint.checkpoint import pack


def test_what_was_spent_stands_in_the_checkpoint(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(pack({}, {"cost_s": 12.5}, {}))
    assert spent_s(tmp_path) == 12.5


@pytest.mark.parametrize("content", [None, b"", b"[]", pack({}, {}, {}), pack({}, {"cost_s": 1.0}, {})[:-1]])
def test_nothing_was_spent_where_there_is_none_that_can_be_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / CHECKPOINT).write_bytes(content)
    assert spent_s(tmp_path) == 0.0
