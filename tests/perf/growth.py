"""Runs one command of metaopt in a process of its own; prints its CPU seconds, without imports, and its peak memory."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import time
from pathlib import Path

from metaopt.cli import main


def peak_mb() -> float:
    """The most memory this process has had; getrusage would count what its parent had when it was forked."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


if __name__ == "__main__":
    first, *arguments = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        assert main([first if word == "RUN" else word for word in arguments]) == 0  # loads what the command needs
        Path(first, "trials.csv").unlink(missing_ok=True)
        before_s = time.process_time()
        for run in sys.stdin.read().split():
            assert main([run if word == "RUN" else word for word in arguments]) == 0
    print(json.dumps({"cpu_s": time.process_time() - before_s, "peak_mb": peak_mb()}))
