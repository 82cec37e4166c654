"""The documentation site: it builds without warnings, loads nothing from elsewhere, and no link in it is dead."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml

import metaopt
from metaopt.cli import commands, parser

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


class Links(HTMLParser):
    """What a page links to, what it loads, and the places in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links, self.loads, self.ids = set[str](), set[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := found.get(name))}
        if (link := found.get("href")) is not None:
            (self.links if tag == "a" else self.loads).add(link)
        if (source := found.get("src")) is not None:
            self.loads.add(source)


def build(folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    # A proxy that is not there: whatever asks a network fails.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    built = build(ROOT, out)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    found = {}
    for path in site.rglob("*.html"):
        found[path] = Links()
        found[path].feed(path.read_text(encoding="utf-8"))
    return found


def test_no_link_is_dead(site: Path, pages: dict[Path, Links]) -> None:
    assert [f"{page.relative_to(site)}: {link}" for page, link in _dead(pages)] == []


def _dead(pages: dict[Path, Links]) -> Iterator[tuple[Path, str]]:
    for page, found in pages.items():
        if page.name == "404.html":  # its links begin at the root of a server
            continue
        for link in found.links | found.loads:
            if re.match(r"[a-z]+:", link):
                continue
            path, place = urldefrag(unquote(link))
            target = (page.parent / path).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            known = pages.get(target)
            if not target.is_file() or (place and known is not None and place not in known.ids | {"__comments"}):
                yield page, link


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Links]) -> None:
    assert {load for found in pages.values() for load in found.loads if "//" in load} == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?https?:[^)\"']*", styles) == []


def test_every_module_has_its_reference(site: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").glob("*.html"))
    modules = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "metaopt").glob("*/**/*.py")]
    names = {".".join(part for part in path.parts if part != "__init__") for path in modules}
    assert sorted(name for name in names if f'id="{name}"' not in text) == []
    assert re.findall(r":(?:mod|class|func|data|meth):", text) == []


def test_every_command_has_its_help(site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    names = [command.prog for command in parser.leaves(commands.build())]
    assert len(names) > 20
    assert [name for name in names if f'id="{name.replace(" ", "-")}"' not in text] == []


def test_a_dead_link_ends_the_build(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", *("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "results").symlink_to(ROOT / "results")
    page = tmp_path / "docs" / "quickstart.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[nowhere](../spaces/nothing.yaml)\n", encoding="utf-8")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    assert "quickstart.md links to ../spaces/nothing.yaml, which does not exist" in built.stderr


def test_the_code_of_the_guide_to_tuners_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tuners.md").read_text(encoding="utf-8")
    tuner, use, check = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").touch()
    (tmp_path / "my_package" / "my_module.py").write_text(tuner)
    (tmp_path / "use.py").write_text(f"{tuner}\n{use}")
    (tmp_path / "test_mine.py").write_text(check)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for command in (["use.py"], ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == metaopt.__version__
    assert citation["license"] == "Apache-2.0"
