"""Every command that the documentation shows exists; the quick ones are run as written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from metaopt import cli
from metaopt.cli.clusters import how_to_use
from metaopt.executors.dask.clusters.settings import KINDS, load_cluster
from metaopt.studies.file import load_study

ROOT = Path(__file__).parents[1]
#: Commands that only read what is shipped.
QUICK = (
    "metaopt --version",
    "metaopt --help",
    "metaopt space ",
    "metaopt tuner ",
    "metaopt optimizer ",
    "metaopt benchmark list",
    "metaopt benchmark info",
)


def commands(name: str) -> list[str]:
    """Returns the commands in the fenced ``sh`` blocks of a document, without comments; a backslash joins lines."""
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.join(words) for line in lines if (words := shlex.split(line, comments=True))]


PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
SHOWN = [(name, command) for name in PAGES for command in commands(name)]


def test_the_first_screen_is_demo_and_test() -> None:
    assert commands("README.md")[:2] == ["make demo", "make test"]


def test_the_front_page_is_one_screen_and_a_half() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs and the study that documents speak of."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "runs").mkdir()
    for run in ("darts-digits1-bohb-s0", "a", "b"):
        (folder / "runs" / run).symlink_to(ROOT / "results" / "reference" / "darts-digits1-bohb")
    (folder / "my-study").mkdir()
    study = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "docs" / "studies.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (folder / "my-study" / "study.yaml").write_text(study[0])
    return folder


@pytest.mark.parametrize(("name", "command"), SHOWN)
def test_command_exists(name: str, command: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    program, *arguments = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(arguments) <= set(targets)
    elif program == "metaopt":
        parsed: list[Any] = []
        monkeypatch.setattr(cli, "load", lambda handler: lambda chosen: parsed.append((handler, chosen)) or 0)
        if arguments != ["--version"]:
            assert cli.main(arguments) == 0
            assert len(parsed) == 1
    elif program in {"dask", "export"}:
        assert command in _printed_with_certificates()
    elif command.startswith(("pip install ", "python -m pip install ")):
        assert (ROOT / arguments[arguments.index("-c") + 1]).is_file()
    elif program in {".venv/bin/pytest", ".venv/bin/ruff"}:
        assert all((ROOT / word).exists() for word in arguments if word.startswith("tests/"))
    else:
        pytest.fail(f"{name} shows {command!r}, which no test knows how to check")


def _printed_with_certificates() -> set[str]:
    """Returns what ``metaopt cluster certificates`` says is to be run, which its own test does."""
    lines = how_to_use(Path("~/metaopt-keys/certificate.pem"), Path("~/metaopt-keys/key.pem")).splitlines()
    return {shlex.join(shlex.split(line.replace("SCHEDULER", "HEAD"))) for line in lines if line.startswith("  ")}


@pytest.mark.parametrize("command", sorted({command for _, command in SHOWN if command.startswith(QUICK)}))
def test_quick_command_runs(command: str, tmp_path: Path) -> None:
    call = [sys.executable, "-m", *shlex.split(command)]
    environment = {**os.environ, "METAOPT_HOME": str(tmp_path)}
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("name", [*PAGES, "CHANGELOG.md", "SECURITY.md"])
def test_links_into_the_repository_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_every_cluster_file_that_is_shown_can_be_read(tmp_path: Path) -> None:
    text = (ROOT / "docs/clusters.md").read_text(encoding="utf-8")
    files = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for key in ("certificate.pem", "key.pem"):
        (tmp_path / key).touch()
    kinds = []
    for content in files:
        (tmp_path / "cluster.yaml").write_text(content.replace("~/metaopt-keys", str(tmp_path)))
        kinds.append(load_cluster(str(tmp_path / "cluster.yaml")).kind)
    assert {*kinds, "local"} == set(KINDS)


def test_every_path_that_the_contributors_page_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:metaopt|tests|spaces|benchmarks|results)/[\w/.*-]*)`", text)
    assert len(named) > 30
    made_up = re.compile(r"NAME|/[xy]\.py|/test_y\.py|_data/")
    assert [path for path in named if not made_up.search(path) and not (ROOT / path).exists()] == []


def test_ten_questions_of_a_first_reader_have_an_answer() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Where is it?")[1].split("\n## ")[0]
    answers = [line.split("|")[2] for line in section.splitlines() if line.startswith("| ") and "?" in line]
    assert len(answers) >= 10
    assert all(re.search(r"`[\w/]+\.\w+`|\]\(#", answer) for answer in answers)


def test_the_study_that_is_shown_has_six_runs(place: Path) -> None:
    assert len(load_study(place / "my-study" / "study.yaml", {}).runs) == 6


def test_the_map_of_the_code_is_complete() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = [path for path in (ROOT / "metaopt").iterdir() if not path.name.startswith(("_", "py."))]
    assert [path.name for path in found if not re.search(rf"[`/]{re.escape(path.name)}[`/]", text)] == []
