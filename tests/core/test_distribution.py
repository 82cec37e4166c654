from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import metaopt
from metaopt.core import distribution
from metaopt.core.errors import REINSTALL, with_extra

ROOT = Path(__file__).parents[2]


def test_what_is_installed_has_this_name_and_version() -> None:
    installed = metadata.metadata(distribution.NAME)
    assert installed["Name"] == distribution.NAME
    assert installed["Version"] == distribution.VERSION == metaopt.__version__
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"] == distribution.NAME


def test_nothing_tells_to_install_the_package_of_others() -> None:
    files = [*ROOT.glob("*.*"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "metaopt").rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files if path.is_file()]
    assert [found for text in (*texts, REINSTALL, with_extra("clusters")) for found in _of_others(text)] == []
    assert _of_others("run pip install -U 'metaopt[clusters]'") == ["pip install -U 'metaopt["]
    assert _of_others("run pip install -c constraints.txt metaopt") != []
    assert _of_others("run pip install metaopt-nas, or metaopt") == []


def _of_others(text: str) -> list[str]:
    return re.findall(r"(?:pip|uv|pipx) install (?:-\S+ (?:\S+\.txt )?)*[\"']?metaopt(?![-\w/.])\[?", text)
