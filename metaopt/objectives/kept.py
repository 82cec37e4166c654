"""What an evaluation keeps in its folder so that another start of it goes on, and what it says of the time spent."""

from __future__ import annotations

from pathlib import Path

from metaopt.oneshot.checkpoint.sealed import UnusableCheckpointError, read

#: Name of the file; whoever stores the result deletes it.
CHECKPOINT = "checkpoint.safetensors"


def spent_s(folder: Path) -> float:
    """Returns the wall seconds of all starts up to the checkpoint in ``folder``; 0 without one that can be used."""
    try:
        return float(read((folder / CHECKPOINT).read_bytes())["figures"]["cost_s"])
    except (OSError, UnusableCheckpointError, LookupError, TypeError):
        return 0.0
