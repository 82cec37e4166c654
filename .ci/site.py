"""Hooks of the documentation site: pages from elsewhere in the repository, and the reference of the modules.

Pages link to each other as files of the repository, so that they can also be read there. On the site a link to a file
that has a page leads to the page; a link to any other file is plain text; one to no file ends the build.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from metaopt.cli import commands, parser

ROOT = Path(__file__).resolve().parents[1]
LOG = logging.getLogger("mkdocs.hooks.site")
REFERENCE = ROOT / "results" / "reference"
#: Pages that are no files of docs/, and where they are on the site.
ELSEWHERE = {"CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md"}
_LINK = re.compile(r"(!?)\[((?:[^][]|\[[^]]*\])*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
NOT_BUILT = "*Figure: {title} (`make results` builds it.)*"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fills the sections whose pages are found in the tree."""
    results = [{_title(page): _site_path(page)} for page in _result_pages()]
    decisions = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    filled = {
        "Results": ["results.md", *results],
        "Reference": [
            "reference/index.md",
            "reference/commands.md",
            *(f"reference/{room.name}.md" for room in _rooms()),
        ],
        "Decisions": ["decisions/index.md", *(f"decisions/{path.name}" for path in decisions)],
    }
    config.nav = [{name: filled.get(name, pages)} for part in config.nav or [] for name, pages in part.items()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are no files of docs/."""
    for source, target in ELSEWHERE.items():
        files.append(_copy(config, target, ROOT / source))
    for page in _result_pages():
        files.append(_copy(config, _site_path(page), page))
    for figure in sorted(path for path in REFERENCE.rglob("*.svg")):
        files.append(_copy(config, _site_path(figure), figure))
    files.append(File.generated(config, "reference/index.md", content=_reference_index()))
    files.append(File.generated(config, "reference/commands.md", content=_commands()))
    for room in _rooms():
        files.append(File.generated(config, f"reference/{room.name}.md", content=_reference(room)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links to files of the repository into links to pages of the site."""
    source = _repository_path(page.file.src_uri)
    if source is None:
        return markdown
    parts = _FENCE.split(markdown)
    here = Path(page.file.src_uri).parent

    def on_site(found: re.Match[str]) -> str:
        image, title, link = found.groups()
        if re.match(r"[a-z]+:|#", link):
            return found[0]
        path, _, anchor = link.partition("#")
        wanted = (source.parent / path).resolve()
        target = _site_path(wanted)
        if files.get_file_from_path(target) is not None:
            return f"{image}[{title}]({os.path.relpath(target, here)}{f'#{anchor}' if anchor else ''})"
        if REFERENCE in wanted.parents and wanted.suffix in {".svg", ".png", ".csv", ".tex", ""}:
            return NOT_BUILT.format(title=title.rstrip(".")) if image else title
        if not wanted.exists():
            LOG.warning("%s links to %s, which does not exist", page.file.src_uri, link)
        return title

    return "".join(part if place % 2 else _LINK.sub(on_site, part) for place, part in enumerate(parts))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns references of Sphinx in docstrings into links, where what they name has a place on the site."""
    return re.sub(r":\w+:<code>~?([\w.]+)</code>", _reference_to, html)


def _reference_to(found: re.Match[str]) -> str:
    return f'<autoref identifier="{found[1]}" optional><code>{found[1]}</code></autoref>'


def _copy(config: MkDocsConfig, target: str, source: Path) -> File:
    return File.generated(config, target, abs_src_path=str(source))


def _result_pages() -> list[Path]:
    return sorted(REFERENCE.rglob("README.md"), key=lambda path: (len(path.parts) > len(REFERENCE.parts) + 1, path))


def _title(page: Path) -> str:
    """Returns what a page is called in the navigation: its folder in the repository."""
    return page.parent.relative_to(REFERENCE).as_posix().replace(".", "overview")


def _site_path(path: Path) -> str:
    """Returns where a file of the repository is on the site, or would be."""
    if path in {ROOT / name for name in ELSEWHERE}:
        return ELSEWHERE[path.name]
    if path == ROOT / "README.md":
        return "index.md"
    if path.is_relative_to(REFERENCE):
        inside = path.relative_to(REFERENCE).as_posix()
        return f"results/{inside.removesuffix('README.md')}{'index.md' if inside.endswith('README.md') else ''}"
    docs = ROOT / "docs"
    return path.relative_to(docs).as_posix() if path.is_relative_to(docs) else path.as_posix()


def _repository_path(uri: str) -> Path | None:
    """Returns the file that a page of the site was read from; None of a generated one."""
    if uri in ELSEWHERE.values():
        return next(ROOT / source for source, target in ELSEWHERE.items() if target == uri)
    if uri.startswith("results/"):
        return REFERENCE / uri.removeprefix("results/").replace("index.md", "README.md")
    return None if uri.startswith("reference/") else ROOT / "docs" / uri


def _rooms() -> list[Path]:
    return sorted(path.parent for path in (ROOT / "metaopt").glob("*/__init__.py"))


def _summary(module: Path) -> str:
    text = re.match(r'r?"""(.+?)("""|\n)', module.read_text(encoding="utf-8"))
    return _plain(text[1]) if text else ""


def _plain(text: str) -> str:
    """Returns a line of a docstring as Markdown: references of Sphinx and double backticks as code."""
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", text).replace("``", "`")


def _reference_index() -> str:
    rows = [f"| [`metaopt.{room.name}`]({room.name}.md) | {_summary(room / '__init__.py')} |" for room in _rooms()]
    lines = "\n".join(rows)
    about = "# Reference\n\nThe help of all [commands](commands.md), and the modules:"
    return f"{about}\n\n| package | |\n|---|---|\n{lines}\n"


def _commands() -> str:
    """Returns the help of every command, each under its name."""
    os.environ["COLUMNS"] = "100"  # argparse asks it
    parts = [
        f"## {command.prog}\n\n```text\n{command.format_help()}```\n" for command in parser.leaves(commands.build())
    ]
    return "\n".join(["# Commands\n", *parts])


def _reference(room: Path) -> str:
    return "\n".join((f"# metaopt.{room.name}", "", *_modules(room)))


def _modules(room: Path) -> Iterator[str]:
    for path in sorted(room.rglob("*.py")):
        parts: Any = path.relative_to(ROOT).with_suffix("").parts
        if not any(part.startswith("_") and part != "__init__" for part in parts):
            yield f"::: {'.'.join(part for part in parts if part != '__init__')}\n"
