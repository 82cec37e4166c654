from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from metaopt.core.errors import JournalError, RunError
from metaopt.core.system_errors import explained, explaining, named
from small_disks import fill, small_disk, use_up_inodes


def reading(path: Path) -> Callable[[], object]:
    return path.read_bytes


def test_what_could_not_be_done_why_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(JournalError) as error, explaining("cannot read x", "name another one", JournalError):
        reading(tmp_path)()
    assert error.value.message == "cannot read x: Is a directory"
    assert error.value.hint == "that is a folder, and a file is wanted: name a file; or name another one"


def loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def dangling(folder: Path) -> Path:
    (folder / "dangling").symlink_to(folder / "nowhere")
    return folder / "dangling"


def below_a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "below"


@pytest.mark.parametrize(
    ("place", "said", "advised"),
    [
        (loop, "Too many levels of symbolic links", "leads back to itself"),
        (dangling, "No such file or directory", "no symbolic link in it leads nowhere"),
        (below_a_file, "Not a directory", "stands for a folder in that path is a file"),
        (lambda folder: folder / ("n" * 300), "File name too long", "take shorter names"),
        (lambda folder: folder / ("n/" * 3000), "File name too long", "take shorter names"),
    ],
)
def test_paths_that_lead_nowhere(tmp_path: Path, place: Callable[[Path], Path], said: str, advised: str) -> None:
    with pytest.raises(RunError, match=said) as error, explaining("cannot read it"):
        reading(place(tmp_path))()
    assert advised in error.value.hint


def test_no_room_and_no_inode_are_told_apart(tmp_path: Path) -> None:
    with small_disk(tmp_path / "full", "size=64k") as disk:
        fill(disk)
        with pytest.raises(RunError) as error, explaining("cannot write it"):
            (disk / "more").write_bytes(bytes(70_000))
        assert error.value.message == "cannot write it: No space left on device"
    with small_disk(tmp_path / "many", "nr_inodes=8") as disk:
        use_up_inodes(disk)
        with pytest.raises(RunError, match="may hold no more files") as error, explaining("cannot write it"):
            (disk / "more").touch()
        assert "df -i" in error.value.hint


def test_every_number_of_the_system_is_explained() -> None:
    for number in errno.errorcode:
        error = explained(OSError(number, os.strerror(number)), "cannot write x", "do that")
        assert error.message == f"cannot write x: {os.strerror(number)}"
        assert error.hint.endswith("do that")


def test_an_error_of_a_library_has_its_own_words() -> None:
    assert explained(OSError("AF_UNIX path too long"), "cannot").message == "cannot: 'AF_UNIX path too long'"
    assert explained(OSError(), "cannot").message == "cannot: OSError"


def test_what_nobody_expected_names_the_file_in_bounds() -> None:
    long = explained(OSError(36, "File name too long", "n" * 100_000), named(OSError(36, "", "n" * 100_000)))
    assert "nnn': File name too long" in long.message
    assert len(str(long)) < 1000
    assert named(OSError(5, "Input/output error")) == "the operating system refused to go on"
