"""The wheel holds metaopt and nothing else, and works where there is no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import metaopt

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
#: Everything that building a wheel needs; what else lies in a working copy must not get in.
SOURCES = ("metaopt", "spaces", "benchmarks", "pyproject.toml", "README.md", "LICENSE")


def run(*arguments: object, folder: Path, **environment: str) -> str:
    """Runs a command in ``folder``, demands success, and returns what it printed."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, checkout / name)
    (checkout / "results").mkdir()
    (checkout / "results" / "stray.py").touch()
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", checkout / "dist", folder=checkout)
    (built,) = (checkout / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed into it, and nothing else."""
    target = tmp_path_factory.mktemp("site")
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel, folder=target)
    return target


@pytest.fixture
def installed(site: Path, tmp_path: Path):
    """Runs ``python`` with the installed wheel in an empty folder, with an empty home."""

    def call(*arguments: object) -> str:
        return run(*arguments, folder=tmp_path, PYTHONPATH=str(site), METAOPT_HOME=str(tmp_path / "home"))

    assert Path(call("-c", "import metaopt; print(metaopt.__file__)").strip()).is_relative_to(site)
    return call


def test_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} == {"metaopt", f"metaopt_nas-{metaopt.__version__}.dist-info"}
    for folder, pattern in (("spaces", "*.yaml"), ("benchmarks", "cards/*.yaml"), ("benchmarks", "tables/*.parquet")):
        shipped = {f"metaopt/_data/{path.relative_to(ROOT)}" for path in (ROOT / folder).glob(pattern)}
        assert shipped
        assert shipped <= names
    for path in (ROOT / "metaopt").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names, "a file of the package is not in the wheel"


def test_commands_from_an_empty_folder(installed, tmp_path: Path) -> None:
    assert installed("-m", "metaopt", "--version") == f"metaopt {metaopt.__version__}\n"
    assert "darts" in installed("-m", "metaopt", "space", "list")
    assert "digits" in installed("-m", "metaopt", "benchmark", "info", "digits")
    assert list(tmp_path.iterdir()) == []


def test_a_run_from_an_empty_folder(installed, tmp_path: Path) -> None:
    scale = ("--budget", 2, "--min-epochs", 1, "--max-epochs", 1, "--confirm", 1, "--executor", "serial")
    installed("-m", "metaopt", "tune", "--optimizer", "darts", *scale, "--folder", "mine")
    assert (tmp_path / "mine" / "journal.jsonl").is_file()
    (page,) = (tmp_path / "mine" / "report").glob("*.html")
    assert "<html" in page.read_text(encoding="utf-8")
