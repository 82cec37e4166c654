from __future__ import annotations

from pathlib import Path

import pytest

from metaopt.core.errors import ConfigError
from metaopt.core.registry import load, resolve


def test_names_are_loaded_on_use() -> None:
    assert load("pathlib:Path") is Path
    assert resolve("folder", {"path": "pathlib:Path"}, "path") is Path


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown folder 'pth'; did you mean 'path'"):
        resolve("folder", {"path": "pathlib:Path"}, "pth")
