from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness import command, environment
from metaopt.executors.open_files import ensure_open_files

CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from metaopt.core.errors import ConfigError
from metaopt.executors.open_files import ensure_open_files
try:
    ensure_open_files(128)
    print(resource.getrlimit(resource.RLIMIT_NOFILE))
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("now", "most", "said"),
    [
        (200, 300, "(200, 300)"),
        (50, 300, "(128, 300)"),
        (50, 100, "may have 100 files open at once, and needs 128"),
    ],
)
def test_the_limit_is_raised_as_far_as_it_takes(now: int, most: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, str(now), str(most)], capture_output=True, text=True, check=True)
    assert said in done.stdout


def test_where_there_is_no_limit_nothing_changes() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    ensure_open_files(1)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


@pytest.mark.parametrize("executor", ["serial", "dask"])
def test_a_run_that_may_open_few_files_says_so_once(tmp_path: Path, executor: str) -> None:
    words = "tune --optimizer darts --budget 4 --no-report --confirm 0 --tuner random --folder run --executor"
    run = command(*words.split(), executor)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -n 30; exec "$@"', "-", *run],
        env=environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 2
    assert "may have 30 files open at once" in done.stderr
    assert "ulimit -n 1024" in done.stderr
    assert len(done.stderr.splitlines()) < 5, done.stderr
