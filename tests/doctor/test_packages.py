from __future__ import annotations

from importlib import metadata

import pytest

from metaopt.doctor import packages


def test_what_is_here_is_what_is_demanded() -> None:
    assert packages.versions().state == "ok"


def test_what_is_missing_or_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    demands = ["numpy>=99", "no-such-package", 'other; extra == "dev"', "torch>=2"]
    monkeypatch.setattr(metadata, "requires", lambda name: demands)
    finding = packages.versions()
    assert finding.state == "problem"
    assert finding.text == f"numpy {metadata.version('numpy')} is not numpy>=99; no-such-package is not installed"
