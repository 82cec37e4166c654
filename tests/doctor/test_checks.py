from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from metaopt.core.registry import load
from metaopt.doctor import checks
from metaopt.doctor.checks import Finding, examine


def test_every_check_is_there() -> None:
    assert all(callable(load(path)) for path in checks.CHECKS.values())


def test_a_library_that_cannot_be_loaded_is_a_problem_of_its_own_check(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart is missing')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from metaopt.doctor import checks\n"
        "some = {name: checks.CHECKS[name] for name in ('python', 'torch')}\n"
        "for name, finding in checks.examine_all(some).items(): print(name, finding.state, finding.text)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("python ok")
    assert lines[1] == "torch problem the check itself failed: ImportError: libcudart is missing"
    assert lines[2].startswith("benchmarks ok"), "tables are looked up without torch"
    assert done.stderr == ""


def test_a_check_that_fails_or_hangs_is_a_problem_and_the_others_go_on() -> None:
    def fails() -> Finding:
        raise RuntimeError("broken\nin two")

    def exits() -> Finding:
        raise SystemExit(3)

    def hangs() -> Finding:
        threading.Event().wait()
        return Finding("ok", "never")

    found = examine({"a": fails, "b": hangs, "c": exits, "d": lambda: Finding("ok", "fine")}, limit_s=0.2)
    assert list(found) == ["a", "b", "c", "d"]
    assert [finding.state for finding in found.values()] == ["problem", "problem", "problem", "ok"]
    assert found["a"].text == "the check itself failed: RuntimeError: broken in two"
    assert found["b"].text == "no answer within 0.2 s"
    assert all(finding.advice for finding in list(found.values())[:3])


def test_a_finding_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Finding("ok", "x").state = "problem"  # type: ignore[misc]
