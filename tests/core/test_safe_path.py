from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import HELPERS
from metaopt.core.safe_path import SAFE, for_children

#: Modules of Python and of others that somebody may call a file of his own after.
NAMES = ("random", "queue", "torch", "numpy", "copy", "inspect", "tempfile", "dask", "yaml", "pickle", "secrets")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files that leave a mark when they are imported."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text("open('imported', 'a').write(__name__)\n")
    return tmp_path


def metaopt(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", *SAFE)}
    return subprocess.run(
        [*arguments], cwd=folder, env={**env, **variables}, capture_output=True, text=True, timeout=200
    )


PROGRAMS = {
    "-m": (sys.executable, "-m", "metaopt"),
    "-P -m": (sys.executable, "-P", "-m", "metaopt"),
    "script": (str(Path(sys.executable).with_name("metaopt")),),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_file_of_the_current_folder_is_no_module_of_ours(folder: Path, program: tuple[str, ...]) -> None:
    done = metaopt(folder, *program, "space", "list")
    assert done.returncode == 0, done.stderr
    assert "darts" in done.stdout
    assert not (folder / "imported").exists(), (folder / "imported").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["serial", "dask"])
def test_nor_of_any_process_of_a_run(folder: Path, executor: str) -> None:
    words = "--optimizer randomws --budget 2 --max-epochs 1 --confirm 0 --workers 1 --no-report --tuner random"
    done = metaopt(folder, *PROGRAMS["-m"], "tune", *words.split(), "--executor", executor, "--folder", "run")
    assert done.returncode == 0, done.stderr
    assert "2 evaluations, 0 failed" in done.stdout
    assert not (folder / "imported").exists(), (folder / "imported").read_text()


def test_modules_of_the_users_own_are_found_where_PYTHONPATH_says(folder: Path) -> None:  # noqa: N802
    code = "from metaopt.core.registry import load; print(load('faults:Faults').__name__)"
    done = metaopt(folder, sys.executable, "-P", "-c", code, PYTHONPATH=str(HELPERS))
    assert done.stdout == "Faults\n", done.stderr


def test_a_checkout_that_is_nowhere_else_goes_last(tmp_path: Path) -> None:
    """And first for the processes that are started, so that they do not take another metaopt."""
    package = tmp_path / "metaopt"
    core = package / "core"
    core.mkdir(parents=True)
    source = Path(sys.modules["metaopt"].__file__ or "").parent / "core" / "safe_path.py"
    (core / "safe_path.py").write_text(source.read_text())
    (core / "__init__.py").touch()
    (package / "__init__.py").write_text("from metaopt.core import safe_path")
    (package / "__main__.py").write_text("import os, sys; print(sys.path[-1], os.environ['PYTHONPATH'], sep='\\n')")
    done = metaopt(tmp_path, sys.executable, "-m", "metaopt")
    assert done.stdout.splitlines() == [str(tmp_path), str(tmp_path)], done.stderr


def test_children_leave_it_out_for_as_long_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, "0"):
        monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
        if before is not None:
            monkeypatch.setenv("PYTHONSAFEPATH", before)
        with for_children():
            assert os.environ["PYTHONSAFEPATH"] == "1"
        assert os.environ.get("PYTHONSAFEPATH") == before
