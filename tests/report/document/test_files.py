from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.core.errors import RunError
from metaopt.report.document.files import Names, differing_files, write_files

FILES = {"README.md": b"text", "figures/a.svg": b"<svg/>"}


def test_written_files_do_not_differ_and_changed_or_missing_ones_do(tmp_path: Path) -> None:
    write_files(tmp_path / "new", FILES)
    assert differing_files(tmp_path / "new", FILES) == []
    (tmp_path / "new" / "README.md").write_bytes(b"Text")
    (tmp_path / "new" / "figures" / "a.svg").unlink()
    assert differing_files(tmp_path / "new", FILES) == ["README.md", "figures/a.svg"]


def test_what_is_left_over_differs(tmp_path: Path) -> None:
    write_files(tmp_path, {**FILES, "figures/b.svg": b"<svg/>", "tables/b.tex": b"", "mine.csv": b""})
    (tmp_path / "figures" / ".hidden").write_bytes(b"")
    assert differing_files(tmp_path, FILES) == [
        "figures/b.svg (left over: remove it)",
        "tables/b.tex (left over: remove it)",
    ]


def test_no_name_is_given_twice() -> None:
    names = Names()
    assert [names.take(name) for name in ("a", "b", "a", "A", "a-2", "a")] == ["a", "b", "a-2", "A-3", "a-2-2", "a-4"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="the report cannot be written to"):
        write_files(tmp_path / "file", FILES)
