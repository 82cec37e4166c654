"""Lets the fork servers of these tests import faults.py before they fork, as they do with the real objective."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from outside import Outside

_HELPERS = str(Path(__file__).parents[1] / "helpers")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (_HELPERS, os.environ.get("PYTHONPATH"))))


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    """A scheduler without workers."""
    outside = Outside(tmp_path)
    outside.start_scheduler()
    yield outside
    outside.close()
