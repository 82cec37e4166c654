"""Real file systems with little room, few files, or for reading only. For tests of what is said there."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)


@contextlib.contextmanager
def small_disk(place: Path, options: str) -> Iterator[Path]:
    """Mounts a file system in memory; skips the test for a user who may not.

    Args:
        place: A folder to make.
        options: Of the file system: ``size=2m`` of room, ``nr_inodes=8`` files.
    """
    place.mkdir()
    try:
        mount("-t", "tmpfs", "-o", options, "tmpfs", place)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Takes all the room, to the last byte, and returns what takes it."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(bytes(512)):
            pass
    return filler


def use_up_inodes(disk: Path) -> None:
    """Makes empty files until there may be no more."""
    with contextlib.suppress(OSError):
        for number in range(10_000):
            (disk / str(number)).touch()
