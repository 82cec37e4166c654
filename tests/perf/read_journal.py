"""Reads a file of JSON lines as a journal, or plainly, in a process of its own; prints CPU seconds and peak memory."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from metaopt.runs.journal import read


def plainly(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(bool(json.loads(line)) for line in file)


def as_journal(path: Path) -> int:
    return len(read(path).events) + 1


def peak_mb() -> float:
    """The most memory this process has had; getrusage would count what its parent had when it was forked."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


if __name__ == "__main__":
    before_mb = peak_mb()
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    lines = {"plain": plainly, "journal": as_journal}[sys.argv[1]](Path(sys.argv[2]))
    took = {"lines": lines, "cpu_s": time.process_time() - cpu_s, "wall_s": time.perf_counter() - wall_s}
    print(json.dumps({**took, "peak_mb": peak_mb(), "before_mb": before_mb}))
