from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch

from metaopt.doctor import machine


def test_this_machine_is_fit() -> None:
    for check in (machine.python, machine.open_files, machine.memory, machine.processors, machine.disk):
        finding = check()
        assert finding.state in ("ok", "warning"), finding


def test_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "metadata", lambda name: {"Requires-Python": ">=9.9"})
    finding = machine.python()
    assert (finding.state, finding.advice) == ("problem", "install a Python >=9.9")


@pytest.mark.parametrize("kind", ["a file", "a pseudo file system"])
def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (tmp_path / "file").touch()  # root may write into any folder, but into none of these
    monkeypatch.setenv("METAOPT_HOME", str(tmp_path / "file") if kind == "a file" else "/proc/metaopt")
    finding = machine.home()
    assert finding.state == "problem"
    assert "METAOPT_HOME" in finding.advice


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_a_folder_without_leave_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert machine.writable(tmp_path / "runs", "x").state == "problem"


def test_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert machine.runs().text == f"{tmp_path}/runs can be made"
    (tmp_path / "runs").mkdir()
    assert machine.runs().text == f"{tmp_path}/runs can be written"
    assert [path.name for path in tmp_path.rglob("*")] == ["runs"]


def test_few_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        finding = machine.open_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert finding.state == "problem"
    assert finding.advice.startswith("ulimit -n ")


def test_text_that_is_not_utf_8() -> None:
    code = "from metaopt.doctor.machine import encoding; print(encoding().state)"
    for variables, state in (
        ({"PYTHONIOENCODING": "latin-1"}, "warning"),
        ({"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}, "ok"),
    ):
        own = {name: value for name, value in os.environ.items() if name not in ("PYTHONIOENCODING", "PYTHONUTF8")}
        done = subprocess.run(
            [sys.executable, "-c", code], env={**own, **variables}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == state


def test_little_room_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE_GB", 1e9)
    monkeypatch.setattr(machine, "LEAST_MEMORY_GB", 1e9)
    assert (machine.disk().state, machine.memory().state) == ("warning", "problem")


def test_limits_of_a_control_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_group_limit", lambda name: 0.5 if name == "cpu.max" else 2.0**28)
    assert machine.processors().state == "warning"
    assert machine.processors().advice == "say --workers 1"
    assert machine.memory().state == "problem"


def test_what_is_here_is_what_is_demanded() -> None:
    assert machine.versions().state == "ok"


def test_files_without_their_package_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "NAME", "no-such-package")
    for finding in (machine.python(), machine.versions()):
        assert (finding.state, finding.text[:40]) == ("problem", "the package no-such-package is not insta")


def test_what_is_missing_or_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    demands = ["numpy>=99", "no-such-package", 'other; extra == "dev"', "torch>=2"]
    monkeypatch.setattr(metadata, "requires", lambda name: demands)
    finding = machine.versions()
    assert finding.state == "problem"
    assert finding.text == f"numpy {metadata.version('numpy')} is not numpy>=99; no-such-package is not installed"


def test_it_computes() -> None:
    assert machine.pytorch().state == "ok"
    assert torch.__version__ in machine.pytorch().text


def test_a_build_for_cuda_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert machine.device().state == "ok"
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert machine.device().state == "warning"


def test_a_worker_does_a_task() -> None:
    assert machine.dask().state == "ok"
