from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.objectives.scratch import SCRATCH, SPENT, discard, keep, spent_s


def test_a_file_and_the_seconds_up_to_it_are_kept(tmp_path: Path) -> None:
    for content, seconds in ((b"one", 2.5), (b"two", 12.5)):
        keep(tmp_path, "state", content, seconds)
        assert (tmp_path / SCRATCH / "state").read_bytes() == content
        assert spent_s(tmp_path) == seconds


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"\xff", b"{}", b'{"spent_s": "x"}', b'{"spent_s": -1}', b'{"spent_s": NaN}']
)
def test_without_readable_seconds_nothing_was_spent(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / SCRATCH).mkdir()
        (tmp_path / SCRATCH / SPENT).write_bytes(content)
    assert spent_s(tmp_path) == 0.0


def test_all_of_it_is_discarded(tmp_path: Path) -> None:
    keep(tmp_path, "state", b"one", 2.5)
    (tmp_path / SCRATCH / ".state.77.part").touch()
    (tmp_path / "trajectory.json").touch()
    for _ in range(2):
        discard(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["trajectory.json"]


def test_a_link_in_place_of_the_folder_leads_nowhere_else(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine").touch()
    (tmp_path / SCRATCH).symlink_to(other)
    discard(tmp_path)
    assert (other / "mine").exists()
