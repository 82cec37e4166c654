"""Commands run in an empty folder, with an objective that costs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.objectives import OBJECTIVES


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(OBJECTIVES, "oneshot", "faults:Inline")


@pytest.fixture
def tune() -> list[str]:
    """The arguments of a short run."""
    return ["tune", "--optimizer", "darts", "--budget", "4", "--tuner", "random", "--executor", "serial", "--no-report"]
