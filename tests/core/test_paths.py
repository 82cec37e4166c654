from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.core import paths
from metaopt.core.errors import MetaoptError


def test_a_wheel_finds_its_data_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "metaopt"
    (package / "_data" / "spaces").mkdir(parents=True)
    (tmp_path / "site-packages" / "spaces").mkdir()  # another project's
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths.data_folder("spaces") == package / "_data" / "spaces"
    (package / "_data" / "spaces").rmdir()
    with pytest.raises(MetaoptError, match="the shipped spaces were found neither in"):
        paths.data_folder("spaces")


def test_a_checkout_finds_its_data_at_its_root() -> None:
    root = Path(__file__).parents[2]
    assert paths.data_folder("spaces") == root / "spaces"


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path))
    assert paths.home() == tmp_path
    monkeypatch.delenv("METAOPT_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.home() == tmp_path / "metaopt"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    paths.write_atomically(file, "old")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        paths.write_atomically(file, "new")
    assert file.read_text() == "old"


def test_a_new_file_is_written_once(tmp_path: Path) -> None:
    file = tmp_path / "a"
    paths.write_atomically(file, "first", new=True)
    with pytest.raises(FileExistsError):
        paths.write_atomically(file, "second", new=True)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["first"]


def test_of_two_that_write_a_new_file_at_once_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a"
    second = paths.replacing(file, new=True)
    second.__enter__().write_text("second")
    paths.write_atomically(file, "first", new=True)
    with pytest.raises(FileExistsError):
        second.__exit__(None, None, None)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["first"]


def test_a_new_file_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", link)
    test_a_new_file_is_written_once(tmp_path)


def test_a_name_as_long_as_may_be(tmp_path: Path) -> None:
    file = tmp_path / ("ü" * 127)
    paths.write_atomically(file, "all")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["all"]
