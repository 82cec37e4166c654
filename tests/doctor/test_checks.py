from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from metaopt.core.registry import load
from metaopt.doctor import checks


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
    assert lines[2].startswith("benchmarks problem")
    assert done.stderr == ""
