"""Imports a file in a process of its own; prints what that took as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from metaopt.tables.importers.nasbench101 import nasbench101
from metaopt.tables.schema import write_groups


def main(file: Path, out: Path) -> None:
    read_at: list[tuple[float, float]] = []

    def report(done: int, total: int, what: str = "bytes") -> None:
        if done == total and what == "bytes":
            read_at.append((time.monotonic(), time.process_time()))

    started = time.monotonic(), time.process_time()
    evaluations, provenance = nasbench101(file, report)
    ordered = time.monotonic(), time.process_time()
    write_groups(out, evaluations.groups(), provenance)
    ended = time.monotonic(), time.process_time()
    steps = {"read": (started, read_at[-1]), "order": (read_at[-1], ordered), "write": (ordered, ended)}
    print(
        json.dumps(
            {
                "records": provenance["records"],
                "cells": len(evaluations.keys),
                **{f"{name}_wall_s": end[0] - start[0] for name, (start, end) in steps.items()},
                **{f"{name}_cpu_s": end[1] - start[1] for name, (start, end) in steps.items()},
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
