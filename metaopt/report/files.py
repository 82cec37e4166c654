"""Rendered files to a folder, and comparing them with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from metaopt.errors import RunError
from metaopt.paths import write_atomically


def write_files(place: Path, files: Mapping[str, bytes]) -> None:
    """Writes files by their path in ``place``, which is created if missing.

    Raises:
        RunError: if it cannot be written to.
    """
    try:
        for name, content in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(place / name, content)
    except OSError as error:
        raise RunError(
            f"the report cannot be written to {place}: {error.strerror}", "name a writable folder with --out"
        ) from None


def differing_files(place: Path, files: Mapping[str, bytes]) -> list[str]:
    """Returns the names of those files that are missing in ``place`` or hold other bytes there."""
    return [name for name, data in files.items() if not (place / name).is_file() or (place / name).read_bytes() != data]
